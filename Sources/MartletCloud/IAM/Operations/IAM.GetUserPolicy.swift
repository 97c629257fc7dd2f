// GetUserPolicy: a policy that lives in a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum GetUserPolicy: Operation {
    static let route = Route.query("IAM.GetUserPolicy")

    typealias Input = NamedInline<IAMUser>
    typealias Output = ShownInline<IAMUser>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.getInline(input, call)
    }
  }
}
