// AttachUserPolicy: gives a managed policy to a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum AttachUserPolicy: Operation {
    static let route = Route.query("IAM.AttachUserPolicy")
    static let stage = OperationStage.stored

    typealias Input = HolderAndPolicy<IAMUser>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.attach(input, call)
    }
  }
}
