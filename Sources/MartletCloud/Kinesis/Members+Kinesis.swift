// Members that many requests of Kinesis have, and the tokens of its lists.
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension Members {
  func shard(_ name: String) -> String? { string(name, .length(1, 128), .pattern(Kinesis.namePattern)) }
  func requiredShard(_ name: String) -> String { required(name, .length(1, 128), .pattern(Kinesis.namePattern)) }

  func kinesisTags(isRequired: Bool) -> [KinesisTags.Tag] {
    let keys: [Constraint] = [.length(1, 128)]
    let values: [Constraint] = [.length(0, 256)]
    if isRequired, !contains("Tags") { return requiredMap("Tags") }
    return map("Tags", keys: keys, values: values, count: 1...200) ?? []
  }

  func streamMode(isRequired: Bool = false) -> KinesisStream.Mode? {
    let details = isRequired ? requiredObject("StreamModeDetails") : object("StreamModeDetails")
    let modes = KinesisStream.Mode.allCases.map(\.rawValue)
    return (details?.required("StreamMode", .oneOf(modes))).flatMap { KinesisStream.Mode(rawValue: $0) }
  }

  func distributionStrategy(isRequired: Bool = false) -> String? {
    let values: [Constraint] = [.oneOf(["AUTO", "USER_PARTITION_KEY"])]
    return isRequired
      ? required("RecordDistributionStrategy", values[0]) : string("RecordDistributionStrategy", values[0])
  }
}

extension Members {
  /// Of operations that take nothing but the ARN of a stream.
  func requiredStreamARN() -> Kinesis.StreamReference {
    _ = required("StreamARN")
    return Kinesis.StreamReference(self, isNamed: false)
  }

  func shardMetrics() -> [String] {
    requiredStrings("ShardLevelMetrics", count: 1...7, each: [.oneOf(Kinesis.shardMetrics + ["ALL"])])
  }
}

extension Kinesis {
  /// What can be measured of a shard.
  static let shardMetrics = [
    "IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords", "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded", "IteratorAgeMilliseconds",
  ]

  /// What a request means by them.
  static func shardMetrics(_ named: [String]) -> [String] { named.contains("ALL") ? shardMetrics : named }

  static let strategyNeedsOnDemand =
    "The RecordDistributionStrategy AUTO is only supported for streams in ON_DEMAND mode."
}

/// What EnableEnhancedMonitoring and DisableEnhancedMonitoring answer with.
struct EnhancedMonitoring: Writable {
  let stream: KinesisStream
  let before: [String]

  func write(to w: inout Writer) {
    w.body { w in
      w.member("StreamName", stream.key.name)
      w.member("CurrentShardLevelMetrics", before)
      w.member("DesiredShardLevelMetrics", stream.metrics)
      w.member("StreamARN", stream.arn)
    }
  }
}

/// A stream or consumer that is named by its ARN alone.
struct KinesisResource: Sendable {
  let arn: String

  init(_ m: Members) {
    arn = m.required(
      "ResourceARN", .length(1, 2048),
      .pattern(Pattern(#"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+"#)))
    _ = m.string("StreamId", .length(1, 24), .pattern(Kinesis.idPattern))
  }

  /// The stream, and the ARN of its consumer if that is meant.
  func find(_ call: Call, _ kinesis: KinesisService) throws(AWSError) -> (stream: KinesisStream, isConsumer: Bool) {
    guard let arn = ARN(arn), arn.resource.hasPrefix("stream/") else { throw .kinesisNoResource(self.arn) }
    let path = arn.resource.split(separator: "/").map(String.init)
    guard path.count == 2 || path.count == 4 else { throw .kinesisNoResource(self.arn) }
    let text = ARN(
      service: "kinesis", place: try Kinesis.StreamReference(arn: self.arn).key(call).place,
      resource: "stream/\(path[1])"
    ).description
    let stream = try kinesis.find(.init(arn: text), call)
    if path.count == 4 {
      guard stream.consumers.contains(where: { $0.arn(of: stream) == self.arn }) else {
        throw .kinesisNoResource(self.arn)
      }
    }
    return (stream, path.count == 4)
  }

  /// Changes the tags of what is meant.
  func changeTags(
    _ call: Call, _ kinesis: KinesisService,
    _ body: @escaping @Sendable ([KinesisTags.Tag]) throws(AWSError) -> [KinesisTags.Tag]
  ) async throws(AWSError) {
    let (found, isConsumer) = try find(call, kinesis)
    let arn = self.arn
    try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
      guard isConsumer else {
        stream.tags = try body(stream.tags)
        return
      }
      guard let position = stream.consumers.firstIndex(where: { $0.arn(of: stream) == arn }) else {
        throw .kinesisNoResource(arn)
      }
      stream.consumers[position].tags = try body(stream.consumers[position].tags)
    }
  }
}

/// Which consumer is meant: an ARN, or a name and the ARN of its stream.
struct ConsumerReference: Sendable {
  let arn: String?
  let name: String?
  let stream: Kinesis.StreamReference

  static let pattern = Pattern(
    #"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+"#)

  init(arn: String) {
    self.arn = arn
    name = nil
    stream = Kinesis.StreamReference()
  }

  init(_ m: Members) {
    stream = Kinesis.StreamReference(m, isNamed: false)
    name = m.string("ConsumerName", .length(1, 128), .pattern(Kinesis.namePattern))
    arn = m.string("ConsumerARN", .length(1, 2048), .pattern(ConsumerReference.pattern))
  }

  func find(_ call: Call, _ kinesis: KinesisService) throws(AWSError) -> (KinesisStream, KinesisConsumer) {
    if let arn {
      let end = arn.firstRange(of: "/consumer/")?.lowerBound ?? arn.endIndex
      let found = try kinesis.find(.init(arn: String(arn[..<end])), call)
      guard let consumer = found.consumers.first(where: { $0.arn(of: found) == arn }) else {
        throw .kinesisNoConsumer(arn, call.place.account)
      }
      return (found, consumer)
    }
    guard let name, stream.arn != nil else {
      throw .kinesisInvalid("Either the ConsumerARN, or the ConsumerName and the StreamARN must be specified.")
    }
    let found = try kinesis.find(stream, call)
    guard let consumer = found.consumers.first(where: { $0.name == name }) else {
      throw .kinesisNoConsumer(name, call.place.account)
    }
    return (found, consumer)
  }
}

/// A token that names the place where a list goes on, and expires as iterators do.
struct KinesisToken: Sendable, Equatable {
  let stream: String
  /// Of the stream; 0 of lists of streams.
  let store: Int64
  /// The list goes on behind it.
  let after: String
  /// Milliseconds since 1970.
  let created: Int64

  init(stream: String, store: Int64, after: String, created: Int64) {
    self.stream = stream
    self.store = store
    self.after = after
    self.created = created
  }

  var text: String { Base64.encode(Array("\(stream)/\(store)/\(created)/\(after)".utf8)) }

  init(_ text: String, at now: Int64) throws(AWSError) {
    guard let bytes = Base64.decode(text) else { throw .kinesisInvalidToken() }
    let parts = String(buffer: bytes).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, let store = Int64(parts[1]), let created = Int64(parts[2]) else {
      throw .kinesisInvalidToken()
    }
    guard now - created <= ShardIterator.life else { throw .kinesisExpiredToken() }
    self.init(stream: parts[0], store: store, after: parts[3], created: created)
  }
}
