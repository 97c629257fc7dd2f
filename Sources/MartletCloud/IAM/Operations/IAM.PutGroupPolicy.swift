// PutGroupPolicy: puts a policy into a group; one of the same name is replaced.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutGroupPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum PutGroupPolicy: Operation {
    static let route = Route.query("IAM.PutGroupPolicy")
    static let stage = OperationStage.stored

    typealias Input = PutInline<IAMGroup>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.putInline(input, call)
    }
  }
}
