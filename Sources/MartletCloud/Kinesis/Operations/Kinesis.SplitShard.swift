// SplitShard: one shard becomes two.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SplitShard.html
import MartletCore
import MartletWire

extension Kinesis {
  enum SplitShard: Operation {
    static let route = Route.target("Kinesis.SplitShard")

    struct Input: Readable {
      let stream: StreamReference
      let shard: String
      let hash: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        shard = m.requiredShard("ShardToSplit")
        hash = m.required("NewStartingHashKey", .pattern(Kinesis.hashPattern))
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
        let shard = try stream.openShard(input.shard)
        guard let key = UInt128(input.hash), key > shard.low, key < shard.high else {
          throw .kinesisInvalid(
            "NewStartingHashKey \(input.hash) used in SplitShard() on shard \(shard.id) in stream \(stream.key.name) under "
              + "account \(stream.key.place.account) is not both greater than one plus the shard's StartingHashKey "
              + "\(shard.low) and less than the shard's EndingHashKey \(shard.high).")
        }
        try kinesis.checkShards(1, in: stream.key.place)
        stream.split(shard, at: key, now: now)
        stream.prune(at: now)
      }
      return Empty()
    }
  }
}
