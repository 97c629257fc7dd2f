// PutRolePolicy: puts a policy into a role; one of the same name is replaced.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum PutRolePolicy: Operation {
    static let route = Route.query("IAM.PutRolePolicy")
    static let stage = OperationStage.stored

    typealias Input = PutInline<IAMRole>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.putInline(input, call)
    }
  }
}
