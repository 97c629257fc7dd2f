// An event bus as it is kept. Every account and region has the default one; it is written when it is first changed.
import MartletCore
import MartletStore
import MartletWire

struct EventBus: Document, Equatable {
  static let kind = "event-bus"

  let key: ResourceKey
  /// Milliseconds since 1970.
  let created: Int64
  var modified: Int64
  var description: String?
  var encryptionKey: String?
  var deadLetters: String?
  /// `LogConfig` as it was given.
  var logging: JSONValue?
  /// The policy, as JSON text.
  var policy: String?
  var tags: [EventBridgeTag]

  init(key: ResourceKey, created: Int64, tags: [EventBridgeTag] = []) {
    self.key = key
    self.created = created
    modified = created
    self.tags = tags
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let created = json["created"]?.integer else {
      throw Fault("read an event bus", "\(key.name) is damaged")
    }
    self.init(key: key, created: Int64(created), tags: EventBridgeTag.list(json["tags"]))
    modified = Int64(json["modified"]?.integer ?? created)
    description = json["description"]?.string
    encryptionKey = json["encryptionKey"]?.string
    deadLetters = json["deadLetters"]?.string
    logging = json["logging"]
    policy = json["policy"]?.string
  }

  var document: String {
    JSONValue.members(
      ("created", .integer(created)), ("modified", .integer(modified)),
      ("description", description.map { .string($0) }), ("encryptionKey", encryptionKey.map { .string($0) }),
      ("deadLetters", deadLetters.map { .string($0) }), ("logging", logging), ("policy", policy.map { .string($0) }),
      ("tags", EventBridgeTag.json(tags))
    ).text
  }

  var arn: String { EventBus.arn(key) }

  static func arn(_ key: ResourceKey) -> String {
    ARN(service: "events", place: key.place, resource: "event-bus/\(key.name)").description
  }

  var isDefault: Bool { key.name == EventBridgeName.defaultBus }

  /// What DescribeEventBus and ListEventBuses both show.
  func writeSummary(to w: inout MemberWriter) {
    w.member("Name", key.name)
    w.member("Arn", arn)
    w.member("Description", description)
    w.member("Policy", policy)
    // Nobody made the default bus.
    w.moment("CreationTime", created == 0 ? nil : Timestamp(milliseconds: created))
    w.moment("LastModifiedTime", modified == 0 ? nil : Timestamp(milliseconds: modified))
  }

  /// What several operations echo.
  func writeSettings(to w: inout MemberWriter) {
    w.member("KmsKeyIdentifier", encryptionKey)
    if let deadLetters { w.object("DeadLetterConfig") { $0.member("Arn", deadLetters) } }
    w.member("LogConfig", logging)
  }
}

/// The settings of a bus as requests have them.
struct EventBusSettings: Sendable {
  let description: String?
  let encryptionKey: String?
  let deadLetters: String?
  let logging: JSONValue?

  init(_ m: Members) {
    description = m.string("Description", as: EventBridgeName.description)
    encryptionKey = m.string("KmsKeyIdentifier", as: EventBridgeName.encryptionKey)
    deadLetters = m.object("DeadLetterConfig")?.string("Arn", as: EventBridgeName.arn)
    logging = m.object("LogConfig").map { log in
      JSONValue.members(
        ("IncludeDetail", log.string("IncludeDetail", .oneOf(["NONE", "FULL"])).map { .string($0) }),
        ("Level", log.string("Level", .oneOf(["OFF", "ERROR", "INFO", "TRACE"])).map { .string($0) }))
    }
  }

  /// Only what was given.
  func apply(to bus: inout EventBus) {
    if let description { bus.description = description }
    if let encryptionKey { bus.encryptionKey = encryptionKey.isEmpty ? nil : encryptionKey }
    if let deadLetters { bus.deadLetters = deadLetters }
    if let logging { bus.logging = logging }
  }
}
