// DeleteGroupPolicy: removes a policy that lives in a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroupPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteGroupPolicy: Operation {
    static let route = Route.query("IAM.DeleteGroupPolicy")

    typealias Input = NamedInline<IAMGroup>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.deleteInline(input, call)
    }
  }
}
