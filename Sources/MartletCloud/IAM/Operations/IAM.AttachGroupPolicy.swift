// AttachGroupPolicy: gives a managed policy to a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum AttachGroupPolicy: Operation {
    static let route = Route.query("IAM.AttachGroupPolicy")
    static let stage = OperationStage.stored

    typealias Input = HolderAndPolicy<IAMGroup>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.attach(input, call)
    }
  }
}
