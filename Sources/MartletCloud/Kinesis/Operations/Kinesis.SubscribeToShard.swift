// SubscribeToShard: the records of a shard as they come, for one consumer, for five minutes.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum SubscribeToShard: Operation {
    static let route = Route.target("Kinesis.SubscribeToShard")

    struct Input: Readable {
      let consumer: String
      let shard: String
      let start: IteratorStart
      let isDryRun: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        consumer = m.required("ConsumerARN", .length(1, 2048), .pattern(ConsumerReference.pattern))
        _ = m.string("StreamId", .length(1, 24), .pattern(Kinesis.idPattern))
        shard = m.requiredShard("ShardId")
        start = m.requiredObject("StartingPosition").map { IteratorStart(position: $0) } ?? .latest
        isDryRun = m.bool("DryRun") ?? false
      }
    }

    struct Output: Writable {
      let subscription: ShardSubscription

      func write(to w: inout Writer) {
        w.header("Content-Type", "application/vnd.amazon.eventstream")
        w.payload(subscription)
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (stream, consumer) = try ConsumerReference(arn: input.consumer).find(call, kinesis)
      guard let shard = KinesisShard.index(input.shard).flatMap({ stream.shard($0) }) else {
        throw .kinesisNoShardToRead(input.shard, in: stream)
      }
      let after = try await kinesis.number(input.start, stream, shard, words: "SubscribeToShard")
      if input.isDryRun { throw .kinesisDryRun() }
      let name = ShardSubscription.Name(consumer: consumer.arn(of: stream), shard: shard.index)
      let subscription = ShardSubscription(name, stream, shard, after: after, kinesis: kinesis)
      kinesis.begin(subscription)
      return Output(subscription: subscription)
    }
  }
}
