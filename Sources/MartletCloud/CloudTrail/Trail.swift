// A trail: where events are delivered to, and which. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html
import MartletCore
import MartletStore
import MartletWire

package struct Trail: Document, Equatable {
  package static let kind = "trail"
  /// In an account and region.
  static let most = 5

  /// What came of the attempts to deliver. Times in milliseconds since 1970.
  struct Status: Sendable, Equatable {
    var isLogging = false
    var started: Int64?
    var stopped: Int64?
    var attempted: Int64?
    var delivered: Int64?
    var error: String?
    var notified: Int64?
    var notificationError: String?
    var logged: Int64?
    var logError: String?
  }

  /// The name, in the region where the trail was made.
  package let key: ResourceKey
  var bucket: String
  var prefix: String?
  var topic: String?
  var isGlobal = true
  var isMultiRegion = false
  var validates = false
  var logGroup: String?
  var logRole: String?
  var kmsKey: String?
  var selectors: [EventSelector] = []
  var advanced: [AdvancedEventSelector] = []
  var tags: [CloudTrailTag] = []
  var status = Status()

  init(key: ResourceKey, bucket: String) {
    self.key = key
    self.bucket = bucket
  }

  var arn: String { ARN(service: "cloudtrail", place: key.place, resource: "trail/\(key.name)").description }

  /// An ARN, or a name of a topic of the trail's own.
  var topicARN: String? {
    topic.map { $0.hasPrefix("arn:") ? $0 : ARN(service: "sns", place: key.place, resource: $0).description }
  }

  // MARK: - What it takes

  func selects(_ record: AuditRecord) -> Bool {
    guard status.isLogging, record.place.account == key.place.account else { return false }
    let isGlobalEvent = record.source == "iam.amazonaws.com" || record.source == "sts.amazonaws.com"
    guard isMultiRegion || record.place.region == key.place.region || (isGlobal && isGlobalEvent) else { return false }
    if !advanced.isEmpty { return advanced.contains { $0.selects(record) } }
    return selectors.isEmpty
      ? EventSelector.standard.selects(record) : selectors.contains { $0.selects(record) }
  }

  func wants(_ kind: AuditClass) -> Bool {
    guard status.isLogging else { return false }
    if !advanced.isEmpty { return advanced.contains { $0.wants(kind) } }
    return selectors.isEmpty ? EventSelector.standard.wants(kind) : selectors.contains { $0.wants(kind) }
  }

  // MARK: - The bucket

  /// `AWSLogs/111111111111/CloudTrail/`, below the trail's prefix.
  var folder: String {
    "\(prefix.map { "\($0)/" } ?? "")AWSLogs/\(key.place.account.id)/CloudTrail/"
  }

  /// Where a file of events of a region goes that is delivered at a moment.
  /// - Parameter word: sixteen letters and digits that make the name its own.
  func objectKey(_ region: String, at moment: Timestamp, word: String) -> String {
    let minute = moment.compact.prefix(13)
    let name = "\(key.place.account.id)_CloudTrail_\(region)_\(minute)Z_\(word).json.gz"
    return "\(folder)\(region)/\(moment.logDate)/\(name)"
  }

  // MARK: - As it is kept

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else {
      throw Fault("read a trail", "\(key.name) is damaged")
    }
    self.key = key
    bucket = json["bucket"]?.string ?? ""
    prefix = json["prefix"]?.string
    topic = json["topic"]?.string
    isGlobal = json["global"]?.bool ?? true
    isMultiRegion = json["multiRegion"]?.bool ?? false
    validates = json["validates"]?.bool ?? false
    logGroup = json["logGroup"]?.string
    logRole = json["logRole"]?.string
    kmsKey = json["kmsKey"]?.string
    selectors = (json["selectors"]?.array ?? []).map { EventSelector($0) }
    advanced = (json["advanced"]?.array ?? []).map { AdvancedEventSelector($0) }
    tags = (json["tags"]?.array ?? []).map {
      CloudTrailTag(key: $0["key"]?.string ?? "", value: $0["value"]?.string)
    }
    status = Status(json["status"])
  }

  package var document: String {
    JSONValue.members(
      ("bucket", .string(bucket)), ("prefix", prefix.map { .string($0) }), ("topic", topic.map { .string($0) }),
      ("global", .bool(isGlobal)), ("multiRegion", .bool(isMultiRegion)), ("validates", .bool(validates)),
      ("logGroup", logGroup.map { .string($0) }), ("logRole", logRole.map { .string($0) }),
      ("kmsKey", kmsKey.map { .string($0) }), ("selectors", .array(selectors.map(\.json))),
      ("advanced", .array(advanced.map(\.json))),
      (
        "tags",
        .array(tags.map { .members(("key", .string($0.key)), ("value", $0.value.map { .string($0) })) })
      ), ("status", status.json)
    ).text
  }
}

extension Trail.Status {
  init(_ json: JSONValue?) {
    func time(_ name: String) -> Int64? { json?[name]?.integer.map { Int64($0) } }
    isLogging = json?["isLogging"]?.bool ?? false
    started = time("started")
    stopped = time("stopped")
    attempted = time("attempted")
    delivered = time("delivered")
    error = json?["error"]?.string
    notified = time("notified")
    notificationError = json?["notificationError"]?.string
    logged = time("logged")
    logError = json?["logError"]?.string
  }

  var json: JSONValue {
    func time(_ value: Int64?) -> JSONValue? { value.map { .integer($0) } }
    return .members(
      ("isLogging", .bool(isLogging)), ("started", time(started)), ("stopped", time(stopped)),
      ("attempted", time(attempted)), ("delivered", time(delivered)), ("error", error.map { .string($0) }),
      ("notified", time(notified)), ("notificationError", notificationError.map { .string($0) }),
      ("logged", time(logged)), ("logError", logError.map { .string($0) }))
  }
}

package struct CloudTrailTag: Sendable, Equatable {
  let key: String
  let value: String?

  /// Of a trail.
  static let most = 50

  /// - Throws: a TagsLimitExceededException; nothing is changed then.
  static func merge(_ new: [CloudTrailTag], into old: [CloudTrailTag]) throws(AWSError) -> [CloudTrailTag] {
    var tags = old
    for tag in new {
      tags.removeAll { $0.key == tag.key }
      tags.append(tag)
    }
    guard tags.count <= most else { throw .cloudTrailTooManyTags() }
    return tags
  }
}

extension Members {
  func cloudTrailTags(isRequired: Bool = false) -> [CloudTrailTag] {
    let list = isRequired ? requiredObjects("TagsList", count: 0...200) : objects("TagsList", count: 0...200) ?? []
    return list.map {
      CloudTrailTag(key: $0.required("Key", .length(1, 128)), value: $0.string("Value", .length(1, 256)))
    }
  }
}
