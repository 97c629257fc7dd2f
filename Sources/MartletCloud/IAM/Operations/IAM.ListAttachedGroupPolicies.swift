// ListAttachedGroupPolicies: the managed policies of a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedGroupPolicies.html
import MartletCore
import MartletWire

extension IAM {
  enum ListAttachedGroupPolicies: Operation {
    static let route = Route.query("IAM.ListAttachedGroupPolicies")

    typealias Input = AttachedPage<IAMGroup>
    typealias Output = IAMList<AttachedPolicy>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.listAttached(input, call)
    }
  }
}
