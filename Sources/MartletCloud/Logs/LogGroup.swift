// A log group: everything about it but its events and streams. One document in the database.
import MartletCore
import MartletStore
import MartletWire

struct LogGroup: Document {
  static let kind = "log-group"

  let key: ResourceKey
  /// Names its directory; never used again.
  let store: String
  /// Milliseconds since 1970.
  let created: Int64
  let logClass: String
  /// Days; nil = for ever.
  var retention: Int?
  var kmsKey: String?
  var isProtected = false
  var tags: [(key: String, value: String)] = []
  var metricFilters: [MetricFilter] = []
  var subscriptions: [SubscriptionFilter] = []

  static let classes = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]

  init(key: ResourceKey, store: String, created: Int64, logClass: String = "STANDARD") {
    self.key = key
    self.store = store
    self.created = created
    self.logClass = logClass
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let store = json["store"]?.string,
      let created = json["created"]?.integer
    else { throw Fault("read a log group", "\(key.name) is damaged") }
    self.init(key: key, store: store, created: Int64(created), logClass: json["class"]?.string ?? "STANDARD")
    retention = json["retention"]?.integer
    kmsKey = json["kmsKey"]?.string
    isProtected = json["protected"]?.bool ?? false
    tags = (json["tags"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }
    metricFilters = (json["metricFilters"]?.array ?? []).compactMap { MetricFilter($0) }
    subscriptions = (json["subscriptions"]?.array ?? []).compactMap { SubscriptionFilter($0) }
  }

  var document: String {
    JSONValue.members(
      ("store", .string(store)), ("created", .integer(created)), ("class", .string(logClass)),
      ("retention", retention.map { .integer(Int64($0)) }), ("kmsKey", kmsKey.map { .string($0) }),
      ("protected", .bool(isProtected)), ("tags", .object(tags.map { .init($0.key, .string($0.value)) })),
      ("metricFilters", .array(metricFilters.map(\.json))), ("subscriptions", .array(subscriptions.map(\.json)))
    ).text
  }

  /// Without the `:*` that names its streams too.
  var arn: String { ARN(service: "logs", place: key.place, resource: "log-group:\(key.name)").description }

  func streamARN(_ name: String) -> String { "\(arn):log-stream:\(name)" }

  /// Events that are older are gone, in milliseconds since 1970.
  func horizon(_ now: Int64) -> Int64 { retention.map { now - Int64($0) * 86_400_000 } ?? .min }

  mutating func tag(_ more: [(key: String, value: String)]) throws(AWSError) {
    for (name, value) in more {
      if let place = tags.firstIndex(where: { $0.key == name }) {
        tags[place].value = value
      } else {
        tags.append((name, value))
      }
    }
    if tags.count > 50 { throw .logsTooManyTags() }
  }

  mutating func untag(_ names: [String]) { tags.removeAll { names.contains($0.key) } }

  /// As DescribeLogGroups shows it.
  func write(to w: inout MemberWriter, storedBytes: Int) {
    w.member("logGroupName", key.name)
    w.member("creationTime", Int(created))
    w.member("retentionInDays", retention)
    w.member("metricFilterCount", metricFilters.count)
    w.member("arn", arn + ":*")
    w.member("storedBytes", storedBytes)
    w.member("kmsKeyId", kmsKey)
    w.member("logGroupArn", arn)
    w.member("logGroupClass", logClass)
    w.member("deletionProtectionEnabled", isProtected)
  }
}

/// Turns events into metrics.
struct MetricFilter: Sendable {
  let name: String
  let pattern: String
  /// As the request had them.
  let transformations: JSONValue
  let created: Int64
  let appliesToTransformed: Bool?
  let criteria: String?
  let dimensions: [String]?

  init(
    name: String, pattern: String, transformations: JSONValue, created: Int64, appliesToTransformed: Bool?,
    criteria: String?, dimensions: [String]?
  ) {
    self.name = name
    self.pattern = pattern
    self.transformations = transformations
    self.created = created
    self.appliesToTransformed = appliesToTransformed
    self.criteria = criteria
    self.dimensions = dimensions
  }

  init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let pattern = json["pattern"]?.string,
      let transformations = json["transformations"]
    else { return nil }
    self.init(
      name: name, pattern: pattern, transformations: transformations, created: Int64(json["created"]?.integer ?? 0),
      appliesToTransformed: json["transformed"]?.bool, criteria: json["criteria"]?.string,
      dimensions: json["dimensions"]?.array?.compactMap(\.string))
  }

  var json: JSONValue {
    .members(
      ("name", .string(name)), ("pattern", .string(pattern)), ("transformations", transformations),
      ("created", .integer(created)), ("transformed", appliesToTransformed.map { .bool($0) }),
      ("criteria", criteria.map { .string($0) }),
      ("dimensions", dimensions.map { .array($0.map { .string($0) }) }))
  }

  func write(to w: inout MemberWriter, group: String) {
    w.member("filterName", name)
    w.member("filterPattern", pattern)
    w.member("metricTransformations", transformations)
    w.member("creationTime", Int(created))
    w.member("logGroupName", group)
    w.member("applyOnTransformedLogs", appliesToTransformed)
    w.member("fieldSelectionCriteria", criteria)
    w.member("emitSystemFieldDimensions", dimensions)
  }
}

/// Sends events on.
struct SubscriptionFilter: Sendable {
  let name: String
  let pattern: String
  let destination: String
  let role: String?
  let distribution: String
  let created: Int64

  init(name: String, pattern: String, destination: String, role: String?, distribution: String, created: Int64) {
    self.name = name
    self.pattern = pattern
    self.destination = destination
    self.role = role
    self.distribution = distribution
    self.created = created
  }

  init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let pattern = json["pattern"]?.string,
      let destination = json["destination"]?.string
    else { return nil }
    self.init(
      name: name, pattern: pattern, destination: destination, role: json["role"]?.string,
      distribution: json["distribution"]?.string ?? "ByLogStream", created: Int64(json["created"]?.integer ?? 0))
  }

  var json: JSONValue {
    .members(
      ("name", .string(name)), ("pattern", .string(pattern)), ("destination", .string(destination)),
      ("role", role.map { .string($0) }), ("distribution", .string(distribution)), ("created", .integer(created)))
  }

  func write(to w: inout MemberWriter, group: String) {
    w.member("filterName", name)
    w.member("logGroupName", group)
    w.member("filterPattern", pattern)
    w.member("destinationArn", destination)
    w.member("roleArn", role)
    w.member("distribution", distribution)
    w.member("creationTime", Int(created))
  }
}
