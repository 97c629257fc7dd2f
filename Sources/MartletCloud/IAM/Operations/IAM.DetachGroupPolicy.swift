// DetachGroupPolicy: takes a managed policy from a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachGroupPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DetachGroupPolicy: Operation {
    static let route = Route.query("IAM.DetachGroupPolicy")

    typealias Input = HolderAndPolicy<IAMGroup>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.detach(input, call)
    }
  }
}
