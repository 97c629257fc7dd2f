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
      let start: IteratorStart
      let isDryRun: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        shard = m.requiredShard("ShardId")
        start = IteratorStart(m)
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
      let after = try await kinesis.number(input.start, stream, shard, words: "GetShardIterator")
      if input.isDryRun { throw .kinesisDryRun() }
      return Output(iterator: ShardIterator(stream, shard: shard.index, after: after, created: now).text)
    }
  }
}
