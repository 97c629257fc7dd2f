// ListStreamConsumers: the consumers of a stream, in the order of their names.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListStreamConsumers.html
import MartletCore
import MartletWire

extension Kinesis {
  enum ListStreamConsumers: Operation {
    static let route = Route.target("Kinesis.ListStreamConsumers")

    struct Input: Readable {
      let stream: StreamReference
      let token: String?
      let limit: Int
      let created: Double?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = m.requiredStreamARN()
        token = m.string("NextToken", .length(1, 1_048_576))
        limit = min(m.integer("MaxResults", in: 1...10_000) ?? 100, 100)
        created = m.moment("StreamCreationTimestamp")
      }
    }

    struct Output: Writable {
      let stream: KinesisStream
      let consumers: [KinesisConsumer]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Consumers", consumers) { $1.write(to: &$0, of: stream) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let stream = try kinesis.find(input.stream, call)
      try stream.check(created: input.created)
      let now = kinesis.now
      var after: String?
      if let token = input.token {
        let place = try KinesisToken(token, at: now)
        guard place.store == stream.store else { throw .kinesisInvalidToken() }
        after = place.after
      }
      let rest = stream.consumers.sorted { $0.name < $1.name }.filter { one in after.map { $0 < one.name } ?? true }
      let page = Array(rest.prefix(input.limit))
      let last = rest.count > input.limit ? page.last : nil
      return Output(
        stream: stream, consumers: page,
        token: last.map {
          KinesisToken(stream: stream.key.name, store: stream.store, after: $0.name, created: now).text
        })
    }
  }
}
