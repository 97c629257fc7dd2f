// GetCallerIdentity: who the caller's access key stands for.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
import MartletCore
import MartletWire

extension STS {
  enum GetCallerIdentity: Operation {
    static let route = Route.query("STS.GetCallerIdentity")

    typealias Input = Empty

    struct Output: Writable {
      let identity: Identity

      func write(to w: inout Writer) {
        w.body { w in
          w.member("Arn", identity.arn)
          w.member("UserId", identity.id)
          w.member("Account", identity.account.id)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
      Output(identity: call.identity)
    }
  }
}
