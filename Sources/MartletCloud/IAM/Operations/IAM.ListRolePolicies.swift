// ListRolePolicies: the names of the policies that live in a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
import MartletCore
import MartletWire

extension IAM {
  enum ListRolePolicies: Operation {
    static let route = Route.query("IAM.ListRolePolicies")

    typealias Input = HolderPage<IAMRole>
    typealias Output = IAMNames

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.listInline(input, call)
    }
  }
}
