// DeleteRolePolicy: removes a policy that lives in a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteRolePolicy: Operation {
    static let route = Route.query("IAM.DeleteRolePolicy")

    typealias Input = NamedInline<IAMRole>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.deleteInline(input, call)
    }
  }
}
