// AssumeRoleWithWebIdentity: credentials of a role for whoever an identity provider vouches for.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
import MartletCore
import MartletWire
import NIOCore

extension STS {
  enum AssumeRoleWithWebIdentity: Operation {
    static let route = Route.query("STS.AssumeRoleWithWebIdentity")

    struct Input: Readable {
      let role: String
      let session: String
      let token: String
      let policy: String?
      let policies: [String]
      /// Seconds.
      let duration: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        role = m.required("RoleArn", .length(20, 2048), .pattern(STS.arnPattern))
        session = m.required("RoleSessionName", .length(2, 64), .pattern(STS.namePattern))
        token = m.required("WebIdentityToken", .length(4, 20_000))
        _ = m.string("ProviderId", .length(4, 2048))
        policy = m.string("Policy", .length(1, 2048), .pattern(STS.policyPattern))
        policies = m.stsPolicies()
        duration = m.integer("DurationSeconds", in: 900...43_200)
        _ = m.integer("MinimumSessionTokenSize", in: 0...4096)
      }
    }

    struct Output: Writable {
      let credentials: TemporaryCredentials
      let identity: Identity
      let claims: Claims
      let packedPolicySize: Int?

      func write(to w: inout Writer) {
        w.body { w in
          credentials.write(to: &w)
          w.member("SubjectFromWebIdentityToken", claims.subject)
          w.object("AssumedRoleUser") { w in
            w.member("AssumedRoleId", identity.id)
            w.member("Arn", identity.arn)
          }
          w.member("PackedPolicySize", packedPolicySize)
          w.member("Provider", claims.issuer)
          w.member("Audience", claims.audience)
        }
      }
    }

    /// What the token says. Its signature is not checked, like all signatures today.
    struct Claims: Sendable {
      let subject: String
      let issuer: String
      let audience: String
      /// Seconds since 1970.
      let end: Int64?

      /// nil if the token is no JSON Web Token.
      init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var text = parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }.reduce("") { "\($0)\($1)" }
        text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let bytes = Base64.decode(text), let json = try? JSONValue(parsing: bytes),
          let subject = json["sub"]?.string, let issuer = json["iss"]?.string
        else { return nil }
        self.subject = subject
        self.issuer = issuer
        audience = json["aud"]?.string ?? json["aud"]?.array?.first?.string ?? ""
        end = json["exp"]?.integer.map { Int64($0) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
      guard let claims = Claims(input.token) else { throw .notAToken() }
      if let end = claims.end, end < sts.world.now().seconds { throw .tokenExpired() }
      let role = try sts.role(input.role, action: "sts:AssumeRoleWithWebIdentity", call)
      let seconds = try STSService.seconds(input.duration, role: role, isChained: false)
      let packed = try STSService.packedSize(input.policy, input.policies)
      let (credentials, identity) = sts.session(of: role, named: input.session, seconds: seconds)
      return Output(credentials: credentials, identity: identity, claims: claims, packedPolicySize: packed)
    }
  }
}
