// UpdateShardCount: brings a stream to a number of shards of the same size.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html
import MartletCore
import MartletWire

extension Kinesis {
  enum UpdateShardCount: Operation {
    static let route = Route.target("Kinesis.UpdateShardCount")

    struct Input: Readable {
      let stream: StreamReference
      let count: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        count = m.requiredInteger("TargetShardCount", in: 1...Int.max)
        _ = m.required("ScalingType", .oneOf(["UNIFORM_SCALING"]))
      }
    }

    struct Output: Writable {
      let stream: KinesisStream
      let before: Int
      let count: Int

      func write(to w: inout Writer) {
        w.body { w in
          w.member("StreamName", stream.key.name)
          w.member("StreamARN", stream.arn)
          w.member("CurrentShardCount", before)
          w.member("TargetShardCount", count)
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      let now = kinesis.now
      let (stream, before) = try await kinesis.change(found.key) {
        (stream: inout KinesisStream) throws(AWSError) -> (KinesisStream, Int) in
        try stream.checkProvisioned()
        let before = stream.open.count
        guard input.count <= min(before * 2, Kinesis.mostScaledShards) else {
          throw .kinesisLimit(
            "UpdateShardCount cannot scale up over double your current open shard count. "
              + "Current open shard count: \(before) Target shard count: \(input.count)")
        }
        guard input.count * 2 >= before else {
          throw .kinesisLimit(
            "UpdateShardCount cannot scale down below half your current open shard count. "
              + "Current open shard count: \(before) Target shard count: \(input.count)")
        }
        if input.count > before { try kinesis.checkShards(input.count - before, in: stream.key.place) }
        stream.scale(to: input.count, now: now)
        stream.prune(at: now)
        return (stream, before)
      }
      return Output(stream: stream, before: before, count: input.count)
    }
  }
}
