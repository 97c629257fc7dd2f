// DeleteUserPolicy: removes a policy that lives in a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteUserPolicy: Operation {
    static let route = Route.query("IAM.DeleteUserPolicy")

    typealias Input = NamedInline<IAMUser>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.deleteInline(input, call)
    }
  }
}
