// A data stream: everything about it but its records. One document in the database.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StreamDescriptionSummary.html
import MartletCore
import MartletStore
import MartletWire

struct KinesisStream: Document {
  static let kind = "kinesis-stream"

  enum Mode: String, Sendable, CaseIterable {
    case provisioned = "PROVISIONED"
    case onDemand = "ON_DEMAND"
  }

  let key: ResourceKey
  /// Names its records; never used again.
  let store: Int64
  /// Milliseconds since 1970.
  let created: Int64
  var mode: Mode
  /// Hours.
  var retention = 24
  var maxRecordKiB = 1024
  /// False if AWS chooses the shard of a record, whatever its key.
  var isByKey = true
  var tags: [(key: String, value: String)] = []
  var consumers: [KinesisConsumer] = []
  /// What of its shards is to be measured.
  var metrics: [String] = []
  var encryptionKey: String?
  var policy: String?
  var nextShard = 0
  /// In the order of their numbers.
  private(set) var shards: [KinesisShard] = []
  /// Positions in `shards` of those that are open, in the order of their hash keys.
  private(set) var open: [Int] = []

  init(key: ResourceKey, store: Int64, created: Int64, mode: Mode) {
    self.key = key
    self.store = store
    self.created = created
    self.mode = mode
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let store = json["store"]?.integer,
      let created = json["created"]?.integer, let mode = json["mode"]?.string.flatMap({ Mode(rawValue: $0) }),
      let shards = json["shards"]?.array
    else { throw Fault("read a stream", "\(key.name) is damaged") }
    self.init(key: key, store: Int64(store), created: Int64(created), mode: mode)
    retention = json["retention"]?.integer ?? 24
    maxRecordKiB = json["maxRecord"]?.integer ?? 1024
    isByKey = json["byKey"]?.bool ?? true
    tags = KinesisTags.read(json["tags"])
    consumers = (json["consumers"]?.array ?? []).compactMap { KinesisConsumer($0) }
    metrics = (json["metrics"]?.array ?? []).compactMap(\.string)
    encryptionKey = json["encryptionKey"]?.string
    policy = json["policy"]?.string
    nextShard = json["nextShard"]?.integer ?? 0
    self.shards = shards.compactMap { KinesisShard($0) }
    arrange()
  }

  var document: String {
    JSONValue.members(
      ("store", .integer(store)), ("created", .integer(created)), ("mode", .string(mode.rawValue)),
      ("retention", .integer(Int64(retention))), ("maxRecord", .integer(Int64(maxRecordKiB))),
      ("byKey", .bool(isByKey)), ("tags", KinesisTags.json(tags)), ("consumers", .array(consumers.map(\.json))),
      ("metrics", .array(metrics.map { .string($0) })), ("encryptionKey", encryptionKey.map { .string($0) }),
      ("policy", policy.map { .string($0) }), ("nextShard", .integer(Int64(nextShard))),
      ("shards", .array(shards.map(\.json)))
    ).text
  }

  var arn: String { ARN(service: "kinesis", place: key.place, resource: "stream/\(key.name)").description }
  var encryption: String { encryptionKey == nil ? "NONE" : "KMS" }

  /// Records that came then or before are gone, in milliseconds since 1970.
  func horizon(_ now: Int64) -> Int64 { now - Int64(retention) * 3_600_000 }

  /// Bytes that a record may have, with its key.
  var largestRecord: Int { maxRecordKiB << 10 }

  // MARK: - Shards

  private mutating func arrange() {
    open = shards.indices.filter { shards[$0].isOpen }.sorted { shards[$0].low < shards[$1].low }
  }

  /// Where an open shard that begins with `low` is, or would be, in `open`.
  private func rank(_ low: UInt128) -> Int {
    var (first, last) = (0, open.count)
    while first < last {
      let middle = (first + last) / 2
      if shards[open[middle]].low < low { first = middle + 1 } else { last = middle }
    }
    return first
  }

  mutating func append(_ shard: KinesisShard) {
    open.insert(shards.count, at: rank(shard.low))
    shards.append(shard)
  }

  mutating func close(_ index: Int, at now: Int64) {
    guard let position = position(index), shards[position].isOpen else { return }
    open.remove(at: rank(shards[position].low))
    shards[position].closed = now
  }

  mutating func removeShards(_ isGone: (KinesisShard) -> Bool) {
    shards.removeAll(where: isGone)
    arrange()
  }

  // MARK: - In answers

  /// What all descriptions of a stream have.
  func write(to w: inout MemberWriter) {
    w.member("StreamName", key.name)
    w.member("StreamARN", arn)
    w.member("StreamStatus", "ACTIVE")
    w.object("StreamModeDetails") { $0.member("StreamMode", mode.rawValue) }
    w.member("RetentionPeriodHours", retention)
    w.moment("StreamCreationTimestamp", Timestamp(milliseconds: created))
    w.list("EnhancedMonitoring", [metrics]) { $0.member("ShardLevelMetrics", $1) }
    w.member("EncryptionType", encryption)
    w.member("KeyId", encryptionKey)
  }
}

/// A consumer with throughput of its own.
struct KinesisConsumer: Sendable {
  let name: String
  /// Seconds since 1970.
  let created: Int64
  var tags: [(key: String, value: String)] = []

  init(name: String, created: Int64) {
    self.name = name
    self.created = created
  }

  init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let created = json["created"]?.integer else { return nil }
    self.init(name: name, created: Int64(created))
    tags = KinesisTags.read(json["tags"])
  }

  var json: JSONValue {
    .members(("name", .string(name)), ("created", .integer(created)), ("tags", KinesisTags.json(tags)))
  }

  func arn(of stream: KinesisStream) -> String { "\(stream.arn)/consumer/\(name):\(created)" }

  func write(to w: inout MemberWriter, of stream: KinesisStream) {
    w.member("ConsumerName", name)
    w.member("ConsumerARN", arn(of: stream))
    w.member("ConsumerStatus", "ACTIVE")
    w.moment("ConsumerCreationTimestamp", Timestamp(milliseconds: created * 1000))
  }
}

enum KinesisTags {
  typealias Tag = (key: String, value: String)

  static func read(_ json: JSONValue?) -> [Tag] { (json?.members ?? []).map { ($0.name, $0.value.string ?? "") } }
  static func json(_ tags: [Tag]) -> JSONValue { .object(tags.map { .init($0.key, .string($0.value)) }) }

  /// In the order of their keys, in which they are shown. Of two with one key the later one stays.
  static func merge(_ tags: [Tag], _ more: [Tag]) throws(AWSError) -> [Tag] {
    var merged = tags.filter { tag in !more.contains { $0.key == tag.key } }
    for (position, tag) in more.enumerated() where !more[(position + 1)...].contains(where: { $0.key == tag.key }) {
      merged.append(tag)
    }
    guard merged.count <= Kinesis.mostTags else { throw .kinesisTooManyTags() }
    return merged.sorted { $0.key < $1.key }
  }
}
