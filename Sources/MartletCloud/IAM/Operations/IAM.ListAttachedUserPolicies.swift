// ListAttachedUserPolicies: the managed policies of a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html
import MartletCore
import MartletWire

extension IAM {
  enum ListAttachedUserPolicies: Operation {
    static let route = Route.query("IAM.ListAttachedUserPolicies")

    typealias Input = AttachedPage<IAMUser>
    typealias Output = IAMList<AttachedPolicy>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.listAttached(input, call)
    }
  }
}
