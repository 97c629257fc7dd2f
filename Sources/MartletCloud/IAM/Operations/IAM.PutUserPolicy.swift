// PutUserPolicy: puts a policy into a user; one of the same name is replaced.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum PutUserPolicy: Operation {
    static let route = Route.query("IAM.PutUserPolicy")
    static let stage = OperationStage.stored

    typealias Input = PutInline<IAMUser>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.putInline(input, call)
    }
  }
}
