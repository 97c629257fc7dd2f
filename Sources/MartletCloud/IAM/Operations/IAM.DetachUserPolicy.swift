// DetachUserPolicy: takes a managed policy from a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachUserPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DetachUserPolicy: Operation {
    static let route = Route.query("IAM.DetachUserPolicy")

    typealias Input = HolderAndPolicy<IAMUser>
    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.detach(input, call)
    }
  }
}
