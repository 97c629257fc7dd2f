// DeletePolicy: removes a managed policy that nobody has.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum DeletePolicy: Operation {
    static let route = Route.query("IAM.DeletePolicy")

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changePolicy(input.arn, call) { (policy: inout IAMPolicy?) throws(AWSError) -> Void in
        guard !iam.isUsed(input.arn, in: IAMService.place(call)) else { throw .policyAttached() }
        guard policy?.versions.count == 1 else { throw .policyHasVersions() }
        policy = nil
      }
      return Empty()
    }
  }
}
