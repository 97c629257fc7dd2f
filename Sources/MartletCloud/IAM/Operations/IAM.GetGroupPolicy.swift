// GetGroupPolicy: a policy that lives in a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroupPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum GetGroupPolicy: Operation {
    static let route = Route.query("IAM.GetGroupPolicy")

    typealias Input = NamedInline<IAMGroup>
    typealias Output = ShownInline<IAMGroup>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.getInline(input, call)
    }
  }
}
