// ListGroupPolicies: the names of the policies that live in a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html
import MartletCore
import MartletWire

extension IAM {
  enum ListGroupPolicies: Operation {
    static let route = Route.query("IAM.ListGroupPolicies")

    typealias Input = HolderPage<IAMGroup>
    typealias Output = IAMNames

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.listInline(input, call)
    }
  }
}
