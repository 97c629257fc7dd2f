// GetRecords: the records behind an iterator, and the iterator for those behind them.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum GetRecords: Operation {
    static let route = Route.target("Kinesis.GetRecords")

    struct Input: Readable {
      let iterator: String
      let limit: Int
      let stream: StreamReference
      let isDryRun: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        iterator = m.required("ShardIterator", .length(1, 512))
        limit = m.integer("Limit", in: 1...Kinesis.largestPage) ?? Kinesis.largestPage
        stream = StreamReference(m, isNamed: false)
        isDryRun = m.bool("DryRun") ?? false
      }
    }

    struct Output: Writable {
      let stream: KinesisStream
      let shard: KinesisShard
      let page: RecordPage
      let next: String?
      /// Milliseconds.
      let behind: Int64
      let children: [KinesisShard]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Records", page.records) { w, record in record.write(to: &w, of: stream, shard) }
          w.member("NextShardIterator", next)
          w.member("MillisBehindLatest", Int(behind))
          if !children.isEmpty { w.list("ChildShards", children) { $1.writeChild(to: &$0) } }
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      guard let iterator = ShardIterator(input.iterator) else { throw .kinesisInvalidIterator() }
      let key = ResourceKey(place: iterator.place, name: iterator.stream)
      let now = kinesis.now
      if input.stream.arn != nil, try input.stream.key(call) != key { throw .kinesisInvalidIterator() }
      guard !iterator.isExpired(at: now) else {
        throw .kinesisExpiredIterator(created: iterator.created, now: now)
      }
      let reference = StreamReference(
        arn: ARN(service: "kinesis", place: key.place, resource: "stream/\(key.name)").description)
      let stream = try kinesis.find(reference, call)
      guard stream.store == iterator.store, let shard = stream.shard(iterator.shard) else {
        throw .kinesisNoStream(key)
      }
      if input.isDryRun { throw .kinesisDryRun() }
      let page = try await kinesis.page(iterator, of: stream, count: input.limit)
      let isOver = !shard.isOpen && !page.isMore
      let after = page.records.last?.number ?? iterator.after
      return Output(
        stream: stream, shard: shard, page: page,
        next: isOver ? nil : ShardIterator(stream, shard: shard.index, after: after, created: now).text,
        behind: page.isMore ? max(0, now - (page.records.last?.arrived ?? now)) : 0,
        children: isOver ? stream.children(of: shard.index) : [])
    }
  }
}
