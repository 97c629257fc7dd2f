// Where reading of a shard begins: the members that GetShardIterator and SubscribeToShard have in common.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StartingPosition.html
import MartletCore
import MartletStore
import MartletWire

struct IteratorStart: Sendable {
  let type: String
  let sequence: String?
  /// Milliseconds since 1970.
  let time: Int64?

  static let latest = IteratorStart(type: "LATEST")

  private static let types = [
    "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP",
  ]

  private init(type: String) {
    self.type = type
    sequence = nil
    time = nil
  }

  /// The members of GetShardIterator.
  init(_ m: Members) { self.init(m, type: "ShardIteratorType", sequence: "StartingSequenceNumber") }

  /// The members of a StartingPosition.
  init(position m: Members) { self.init(m, type: "Type", sequence: "SequenceNumber") }

  private init(_ m: Members, type: String, sequence: String) {
    self.type = m.required(type, .oneOf(IteratorStart.types))
    self.sequence = m.string(sequence, .pattern(Kinesis.sequencePattern))
    time = m.moment("Timestamp").map { Int64(min(max($0, -9e9), 9e9) * 1000) }
  }
}

extension KinesisService {
  /// The number behind which the records are read.
  /// - Parameter words: the operation, for what is refused.
  func number(
    _ start: IteratorStart, _ stream: KinesisStream, _ shard: KinesisShard, words: String
  ) async throws(AWSError) -> Int64 {
    let name = ShardTips.Name(store: stream.store, shard: shard.index)
    let takesSequence = start.type.hasSuffix("SEQUENCE_NUMBER")
    guard takesSequence == (start.sequence != nil) else {
      throw .kinesisInvalid(
        "Must either specify (1) AT_SEQUENCE_NUMBER and StartingSequenceNumber or (2) AFTER_SEQUENCE_NUMBER and "
          + "StartingSequenceNumber or (3) TRIM_HORIZON or (4) LATEST with no StartingSequenceNumber. "
          + "Request specified \(start.type) and \(takesSequence ? "no" : "also a") StartingSequenceNumber.")
    }
    switch start.type {
    case "TRIM_HORIZON": return 0
    case "LATEST": return tips.tip(name)
    case "AT_TIMESTAMP":
      guard let time = start.time else {
        throw .kinesisInvalid("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.")
      }
      guard time <= now else {
        throw .kinesisInvalid(
          "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
            + "timestampInMillis: \(time), currentTimestampInMillis: \(now)")
      }
      return try await number(before: time, name)
    default:
      let number = try KinesisService.index(start.sequence ?? "", stream, shard, words)
      return start.type == "AT_SEQUENCE_NUMBER" ? number - 1 : number
    }
  }

  private static func index(
    _ text: String, _ stream: KinesisStream, _ shard: KinesisShard, _ operation: String
  ) throws(AWSError) -> Int64 {
    let words =
      "StartingSequenceNumber \(text) used in \(operation) on shard \(shard.id) in stream "
      + "\(stream.key.name) under account \(stream.key.place.account) is invalid"
    guard let number = SequenceNumber(text), let index = Int64(exactly: number.index) else {
      throw .kinesisInvalid("\(words).")
    }
    guard number.shard == shard.index else {
      throw .kinesisInvalid(
        "Invalid StartingSequenceNumber. It encodes \(KinesisShard.id(Int(number.shard))), "
          + "while it was used in a call to a shard with \(shard.id)")
    }
    guard number.shardCreated == shard.stamp else {
      throw .kinesisInvalid("\(words) because it did not come from this stream.")
    }
    return index
  }
}
