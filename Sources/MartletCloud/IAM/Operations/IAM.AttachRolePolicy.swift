// AttachRolePolicy: gives a managed policy to a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum AttachRolePolicy: Operation {
    static let route = Route.query("IAM.AttachRolePolicy")
    static let stage = OperationStage.stored

    typealias Input = HolderAndPolicy<IAMRole>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.attach(input, call)
    }
  }
}
