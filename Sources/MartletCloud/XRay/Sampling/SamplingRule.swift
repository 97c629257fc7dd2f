// A sampling rule: which requests it is for, and how many of them are traced.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
import MartletCore
import MartletStore
import MartletWire

package struct SamplingRule: Document, Equatable {
  package static let kind = "xray-sampling-rule"

  package let key: ResourceKey
  var settings: Settings
  var created: Timestamp
  var modified: Timestamp
  var tags: [XRayTag] = []

  /// What a caller says of a rule.
  struct Settings: Equatable, Sendable {
    var resourceARN = "*"
    var priority = 10_000
    /// Of the requests beyond the reservoir, from 0 to 1.
    var fixedRate = 0.05
    /// Requests a second that are traced whatever the rate.
    var reservoir = 1
    var serviceName = "*"
    var serviceType = "*"
    var host = "*"
    var method = "*"
    var path = "*"
    var version = 1
    var attributes: [Pair] = []
    var boost: Boost?
  }

  struct Pair: Equatable, Sendable {
    let key: String
    let value: String
  }

  /// Kept, without effect.
  struct Boost: Equatable, Sendable {
    let maxRate: Double
    let cooldownMinutes: Int
  }

  /// What a rule is asked about.
  struct Request: Sendable {
    let serviceName: String
    let serviceType: String
    let resourceARN: String
  }

  /// The rule that is always there.
  static let standard = "Default"
  /// The most of one's own in an account and region.
  static let most = 25

  init(key: ResourceKey, settings: Settings, created: Timestamp) {
    self.key = key
    self.settings = settings
    self.created = created
    modified = created
  }

  static func standard(_ place: Place) -> SamplingRule {
    SamplingRule(
      key: ResourceKey(place: place, name: standard), settings: Settings(),
      created: Timestamp(nanoseconds: 0))
  }

  var arn: String {
    ARN(service: "xray", place: key.place, resource: "sampling-rule/\(key.name)").description
  }
  var isStandard: Bool { key.name == SamplingRule.standard }

  /// True if it is for a request about which no more is known than its service. What asks for attributes is not.
  func matches(_ request: Request) -> Bool {
    settings.attributes.isEmpty && SamplingRule.matches(settings.serviceName, request.serviceName)
      && SamplingRule.matches(settings.serviceType, request.serviceType)
      && SamplingRule.matches(settings.resourceARN, request.resourceARN)
      && [settings.host, settings.method, settings.path].allSatisfy { SamplingRule.matches($0, "") }
  }

  /// `*` stands for any characters, `?` for one; letters are the same in either case.
  static func matches(_ pattern: String, _ text: String) -> Bool {
    let (pattern, text) = (Array(pattern.lowercased().utf8), Array(text.lowercased().utf8))
    var (p, t) = (0, 0)
    var star: (pattern: Int, text: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let back = star {
        star = (back.pattern, back.text + 1)
        (p, t) = (back.pattern + 1, back.text + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }

  // MARK: - On disk

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else {
      throw Fault("read a sampling rule", "\(key.name) is damaged")
    }
    self.key = key
    var settings = Settings()
    settings.resourceARN = json["resource"]?.string ?? settings.resourceARN
    settings.priority = json["priority"]?.integer ?? settings.priority
    settings.fixedRate = json["rate"]?.number ?? settings.fixedRate
    settings.reservoir = json["reservoir"]?.integer ?? settings.reservoir
    settings.serviceName = json["name"]?.string ?? settings.serviceName
    settings.serviceType = json["type"]?.string ?? settings.serviceType
    settings.host = json["host"]?.string ?? settings.host
    settings.method = json["method"]?.string ?? settings.method
    settings.path = json["path"]?.string ?? settings.path
    settings.attributes = (json["attributes"]?.members ?? []).map {
      Pair(key: $0.name, value: $0.value.string ?? "")
    }
    if let boost = json["boost"] {
      settings.boost = Boost(
        maxRate: boost["rate"]?.number ?? 0, cooldownMinutes: boost["minutes"]?.integer ?? 0)
    }
    self.settings = settings
    created = Timestamp(nanoseconds: Int64(json["created"]?.integer ?? 0))
    modified = Timestamp(nanoseconds: Int64(json["modified"]?.integer ?? 0))
    tags = XRayTag.read(json["tags"])
  }

  package var document: String {
    let s = settings
    return JSONValue.members(
      ("resource", .string(s.resourceARN)), ("priority", .integer(Int64(s.priority))),
      ("rate", .double(s.fixedRate)),
      ("reservoir", .integer(Int64(s.reservoir))), ("name", .string(s.serviceName)),
      ("type", .string(s.serviceType)),
      ("host", .string(s.host)), ("method", .string(s.method)), ("path", .string(s.path)),
      ("attributes", .object(s.attributes.map { .init($0.key, .string($0.value)) })),
      (
        "boost",
        s.boost.map {
          .members(("rate", .double($0.maxRate)), ("minutes", .integer(Int64($0.cooldownMinutes))))
        }
      ),
      ("created", .integer(created.nanoseconds)), ("modified", .integer(modified.nanoseconds)),
      ("tags", XRayTag.json(tags))
    ).text
  }

  // MARK: - Answers

  func write(to w: inout MemberWriter) {
    w.object("SamplingRule") { w in
      w.member("RuleName", key.name)
      w.member("RuleARN", arn)
      w.member("ResourceARN", settings.resourceARN)
      w.member("Priority", settings.priority)
      w.member("FixedRate", settings.fixedRate)
      w.member("ReservoirSize", settings.reservoir)
      w.member("ServiceName", settings.serviceName)
      w.member("ServiceType", settings.serviceType)
      w.member("Host", settings.host)
      w.member("HTTPMethod", settings.method)
      w.member("URLPath", settings.path)
      w.member("Version", settings.version)
      w.member("Attributes", settings.attributes.map { ($0.key, $0.value) })
      if let boost = settings.boost {
        w.object("SamplingRateBoost") { w in
          w.member("MaxRate", boost.maxRate)
          w.member("CooldownWindowMinutes", boost.cooldownMinutes)
        }
      }
    }
    w.moment("CreatedAt", created)
    w.moment("ModifiedAt", modified)
  }
}
