// GetRolePolicy: a policy that lives in a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum GetRolePolicy: Operation {
    static let route = Route.query("IAM.GetRolePolicy")

    typealias Input = NamedInline<IAMRole>
    typealias Output = ShownInline<IAMRole>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.getInline(input, call)
    }
  }
}
