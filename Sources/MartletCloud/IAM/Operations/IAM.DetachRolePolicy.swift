// DetachRolePolicy: takes a managed policy from a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DetachRolePolicy: Operation {
    static let route = Route.query("IAM.DetachRolePolicy")

    typealias Input = HolderAndPolicy<IAMRole>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.detach(input, call)
    }
  }
}
