// ListUserPolicies: the names of the policies that live in a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html
import MartletCore
import MartletWire

extension IAM {
  enum ListUserPolicies: Operation {
    static let route = Route.query("IAM.ListUserPolicies")

    typealias Input = HolderPage<IAMUser>
    typealias Output = IAMNames

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.listInline(input, call)
    }
  }
}
