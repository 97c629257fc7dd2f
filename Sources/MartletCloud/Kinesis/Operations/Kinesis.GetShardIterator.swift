// GetShardIterator: a place in a shard from which its records can be read.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
import MartletCore
import MartletWire

extension Kinesis {
  enum GetShardIterator: Operation {
    static let route = Route.target("Kinesis.GetShardIterator")

    struct Input: Readable {
      let stream: StreamReference
      let shard: String
      let type: String
      let sequence: String?
      /// Milliseconds since 1970.
      let time: Int64?
      let isDryRun: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        shard = m.requiredShard("ShardId")
        type = m.required("ShardIteratorType", .oneOf(Kinesis.iteratorTypes))
        sequence = m.string("StartingSequenceNumber", .pattern(Kinesis.sequencePattern))
        time = m.moment("Timestamp").map { Int64(min(max($0, -9e9), 9e9) * 1000) }
        isDryRun = m.bool("DryRun") ?? false
      }
    }

    struct Output: Writable {
      let iterator: String

      func write(to w: inout Writer) { w.body { $0.member("ShardIterator", iterator) } }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let stream = try kinesis.find(input.stream, call)
      let now = kinesis.now
      guard let shard = KinesisShard.index(input.shard).flatMap({ stream.shard($0) }) else {
        throw .kinesisNoShardToRead(input.shard, in: stream)
      }
      let after = try await number(input, stream, shard, kinesis)
      if input.isDryRun { throw .kinesisDryRun() }
      return Output(iterator: ShardIterator(stream, shard: shard.index, after: after, created: now).text)
    }

    /// The number behind which the records are read.
    private static func number(
      _ input: Input, _ stream: KinesisStream, _ shard: KinesisShard, _ kinesis: KinesisService
    ) async throws(AWSError) -> Int64 {
      let name = ShardTips.Name(store: stream.store, shard: shard.index)
      let takesSequence = input.type.hasSuffix("SEQUENCE_NUMBER")
      guard takesSequence == (input.sequence != nil) else {
        throw .kinesisInvalid(
          "Must either specify (1) AT_SEQUENCE_NUMBER and StartingSequenceNumber or (2) AFTER_SEQUENCE_NUMBER and "
            + "StartingSequenceNumber or (3) TRIM_HORIZON or (4) LATEST with no StartingSequenceNumber. "
            + "Request specified \(input.type) and \(takesSequence ? "no" : "also a") StartingSequenceNumber.")
      }
      switch input.type {
      case "TRIM_HORIZON": return 0
      case "LATEST": return kinesis.tips.tip(name)
      case "AT_TIMESTAMP":
        guard let time = input.time else {
          throw .kinesisInvalid("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.")
        }
        guard time <= kinesis.now else {
          throw .kinesisInvalid(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
              + "timestampInMillis: \(time), currentTimestampInMillis: \(kinesis.now)")
        }
        return try await kinesis.number(before: time, name)
      default:
        let number = try index(input.sequence ?? "", stream, shard)
        return input.type == "AT_SEQUENCE_NUMBER" ? number - 1 : number
      }
    }

    private static func index(
      _ text: String, _ stream: KinesisStream, _ shard: KinesisShard
    ) throws(AWSError) -> Int64 {
      let words =
        "StartingSequenceNumber \(text) used in GetShardIterator on shard \(shard.id) in stream "
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

  static let iteratorTypes = ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]
}
