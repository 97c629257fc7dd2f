// DescribeStream: a stream and its shards, a page at a time.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeStream.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DescribeStream: Operation {
    static let route = Route.target("Kinesis.DescribeStream")

    struct Input: Readable {
      let stream: StreamReference
      let after: String?
      let limit: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        after = m.shard("ExclusiveStartShardId")
        limit = min(m.integer("Limit", in: 1...10_000) ?? 100, 1000)
      }
    }

    struct Output: Writable {
      let stream: KinesisStream
      let shards: [KinesisShard]
      let isMore: Bool

      func write(to w: inout Writer) {
        w.body { w in
          w.object("StreamDescription") { w in
            stream.write(to: &w)
            w.list("Shards", shards) { $1.write(to: &$0) }
            w.member("HasMoreShards", isMore)
          }
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let stream = try kinesis.find(input.stream, call)
      let rest = stream.visible(at: kinesis.now).filter { shard in input.after.map { $0 < shard.id } ?? true }
      return Output(stream: stream, shards: Array(rest.prefix(input.limit)), isMore: rest.count > input.limit)
    }
  }
}
