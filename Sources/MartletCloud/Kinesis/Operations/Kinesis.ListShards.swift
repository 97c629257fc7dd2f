// ListShards: the shards of a stream, a page at a time.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum ListShards: Operation {
    static let route = Route.target("Kinesis.ListShards")

    struct Input: Readable {
      let stream: StreamReference
      let token: String?
      let after: String?
      let limit: Int
      let created: Double?
      let filter: ShardFilter?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        token = m.string("NextToken", .length(1, 1_048_576))
        after = m.shard("ExclusiveStartShardId")
        limit = min(m.integer("MaxResults", in: 1...10_000) ?? 1000, 1000)
        created = m.moment("StreamCreationTimestamp")
        filter = m.object("ShardFilter").map { ShardFilter($0) }
      }
    }

    struct Output: Writable {
      let shards: [KinesisShard]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Shards", shards) { $1.write(to: &$0) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let now = kinesis.now
      let (stream, after) = try start(input, call, kinesis, now)
      let shards = try (input.filter ?? .all).choose(stream, at: now)
      let rest = shards.filter { shard in after.map { $0 < shard.id } ?? true }
      let page = Array(rest.prefix(input.limit))
      let last = rest.count > input.limit ? page.last : nil
      return Output(
        shards: page,
        token: last.map { KinesisToken(stream: stream.key.name, store: stream.store, after: $0.id, created: now).text })
    }

    /// The stream, and the shard behind which the list begins.
    private static func start(
      _ input: Input, _ call: Call, _ kinesis: KinesisService, _ now: Int64
    ) throws(AWSError) -> (KinesisStream, String?) {
      guard let text = input.token else {
        let stream = try kinesis.find(input.stream, call)
        try stream.check(created: input.created)
        return (stream, input.after)
      }
      guard input.stream.name == nil, input.created == nil, input.after == nil else {
        throw .kinesisInvalid("NextToken and StreamName cannot be provided together.")
      }
      let token = try KinesisToken(text, at: now)
      let stream = try kinesis.find(.init(name: token.stream), call)
      guard stream.store == token.store else { throw .kinesisInvalidToken() }
      return (stream, token.after)
    }
  }
}
