// AssumeRole: temporary credentials of a role, for whoever its trust policy admits.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
import MartletCore

extension STS {
  package enum AssumeRole: Shape {
    package static let route = Route.query("STS.AssumeRole")

    package struct Input: Readable, Sendable {
      package let role: String
      package let session: String
      /// Seconds.
      package let duration: Int?
      package let policy: String?
      package let policies: [String]
      package let sourceIdentity: String?

      package init(role: String, session: String, duration: Int? = nil) {
        self.role = role
        self.session = session
        self.duration = duration
        policy = nil
        policies = []
        sourceIdentity = nil
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        role = m.required("RoleArn", .length(20, 2048), .pattern(STS.arnPattern))
        session = m.required("RoleSessionName", .length(2, 64), .pattern(STS.namePattern))
        duration = m.integer("DurationSeconds", in: 900...43_200)
        policy = m.string("Policy", .length(1, nil), .pattern(STS.policyPattern))
        policies = m.stsPolicies()
        sourceIdentity = m.string("SourceIdentity", .length(2, 64), .pattern(STS.namePattern))
        m.stsTags()
        _ = m.strings("TransitiveTagKeys", count: 0...50, each: [.length(1, 128), .pattern(STS.tagKeyPattern)])
        _ = m.string("ExternalId", .length(2, 1224), .pattern(Pattern(#"[\w+=,.@:\/-]*"#)))
        m.stsDevice()
        for context in m.objects("ProvidedContexts", count: 1...5) ?? [] {
          _ = context.string("ProviderArn", .length(20, 2048), .pattern(STS.arnPattern))
          _ = context.string("ContextAssertion", .length(4, 2048))
        }
      }
    }

    package struct Output: Writable, Sendable {
      package let credentials: TemporaryCredentials
      package let identity: Identity
      package let sourceIdentity: String?
      /// Percent of the room for session policies that is taken.
      package let packedPolicySize: Int?

      package init(
        credentials: TemporaryCredentials, identity: Identity, sourceIdentity: String?, packedPolicySize: Int?
      ) {
        self.credentials = credentials
        self.identity = identity
        self.sourceIdentity = sourceIdentity
        self.packedPolicySize = packedPolicySize
      }

      package func write(to w: inout Writer) {
        w.body { w in
          credentials.write(to: &w)
          w.object("AssumedRoleUser") { w in
            w.member("AssumedRoleId", identity.id)
            w.member("Arn", identity.arn)
          }
          w.member("PackedPolicySize", packedPolicySize)
          w.member("SourceIdentity", sourceIdentity)
        }
      }
    }
  }

  // The patterns of the service model.
  package static let namePattern = Pattern(#"[\w+=,.@-]*"#)
  package static let arnPattern = Pattern(
    #"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+"#)
  package static let policyPattern = Pattern(#"[\u0009\u000A\u000D\u0020-\u00FF]+"#)
  package static let tagKeyPattern = Pattern(#"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"#)
  package static let tagValuePattern = Pattern(#"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"#)
}

extension Members {
  /// Managed policies that narrow a session.
  package func stsPolicies() -> [String] {
    (objects("PolicyArns") ?? []).compactMap { $0.string("arn", .length(20, 2048), .pattern(STS.arnPattern)) }
  }

  /// The device and code of multi-factor authentication, which nobody has here.
  package func stsDevice() {
    _ = string("SerialNumber", .length(9, 256), .pattern(Pattern(#"[\w+=/:,.@-]*"#)))
    _ = string("TokenCode", .length(6, 6), .pattern(Pattern(#"[\d]*"#)))
    _ = integer("MinimumSessionTokenSize", in: 0...4096)
  }

  package func stsTags() {
    for tag in objects("Tags", count: 0...50) ?? [] {
      _ = tag.required("Key", .length(1, 128), .pattern(STS.tagKeyPattern))
      _ = tag.required("Value", .length(0, 256), .pattern(STS.tagValuePattern))
    }
  }
}
