// ListAttachedRolePolicies: the managed policies of a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
import MartletCore
import MartletWire

extension IAM {
  enum ListAttachedRolePolicies: Operation {
    static let route = Route.query("IAM.ListAttachedRolePolicies")

    typealias Input = AttachedPage<IAMRole>
    typealias Output = IAMList<AttachedPolicy>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.listAttached(input, call)
    }
  }
}
