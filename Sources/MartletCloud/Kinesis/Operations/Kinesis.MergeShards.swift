// MergeShards: two shards that are next to each other become one.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_MergeShards.html
import MartletCore
import MartletWire

extension Kinesis {
  enum MergeShards: Operation {
    static let route = Route.target("Kinesis.MergeShards")

    struct Input: Readable {
      let stream: StreamReference
      let shard: String
      let other: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        shard = m.requiredShard("ShardToMerge")
        other = m.requiredShard("AdjacentShardToMerge")
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      let now = kinesis.now
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        try stream.checkProvisioned()
        let (shard, other) = (try stream.openShard(input.shard), try stream.openShard(input.other))
        guard KinesisStream.areAdjacent(shard, other) else {
          throw .kinesisInvalid(
            "Shards \(shard.id) and \(other.id) in stream \(stream.key.name) under account \(stream.key.place.account) are "
              + "not an adjacent pair of shards eligible for merging")
        }
        stream.merge(shard, other, now: now)
        stream.prune(at: now)
      }
      return Empty()
    }
  }
}
