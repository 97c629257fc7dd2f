// GetPolicy: a managed policy without its documents.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum GetPolicy: Operation {
    static let route = Route.query("IAM.GetPolicy")

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
      }
    }

    struct Output: Writable {
      let policy: IAMPolicy
      let use: PolicyUse

      func write(to w: inout Writer) {
        w.body { $0.object("Policy") { policy.write(to: &$0, use: use, isWhole: true) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let policy = try iam.policy(input.arn, call)
      return Output(policy: policy, use: iam.uses(call)[policy.arn] ?? PolicyUse())
    }
  }
}
