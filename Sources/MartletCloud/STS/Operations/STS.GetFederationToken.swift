// GetFederationToken: temporary credentials for somebody whom the caller knows by a name of its own.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
import MartletCore
import MartletWire

extension STS {
  enum GetFederationToken: Operation {
    static let route = Route.query("STS.GetFederationToken")

    struct Input: Readable {
      let name: String
      let policy: String?
      let policies: [String]
      /// Seconds.
      let duration: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name", .length(2, 32), .pattern(STS.namePattern))
        policy = m.string("Policy", .length(1, 2048), .pattern(STS.policyPattern))
        policies = m.stsPolicies()
        duration = m.integer("DurationSeconds", in: 900...129_600)
        m.stsTags()
        _ = m.integer("MinimumSessionTokenSize", in: 0...4096)
      }
    }

    struct Output: Writable {
      let credentials: TemporaryCredentials
      let identity: Identity
      let packedPolicySize: Int?

      func write(to w: inout Writer) {
        w.body { w in
          credentials.write(to: &w)
          w.object("FederatedUser") { w in
            w.member("FederatedUserId", identity.id)
            w.member("Arn", identity.arn)
          }
          w.member("PackedPolicySize", packedPolicySize)
        }
      }
    }

    private static let usualDuration = 43_200

    static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
      let caller = call.identity
      guard !caller.isSession else { throw .sessionCallsSession("GetFederationToken") }
      let packed = try STSService.packedSize(input.policy, input.policies)
      let asked = input.duration ?? usualDuration
      let seconds = caller.isRoot ? min(asked, STSService.longestForRoot) : asked
      let account = caller.account
      let identity = Identity(
        account: account, arn: "arn:aws:sts::\(account):federated-user/\(input.name)", id: "\(account):\(input.name)")
      return Output(
        credentials: sts.iam.credentials.issue(identity, seconds: seconds), identity: identity, packedPolicySize: packed
      )
    }
  }
}
