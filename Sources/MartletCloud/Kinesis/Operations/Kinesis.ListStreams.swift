// ListStreams: the streams of an account and region, in the order of their names.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListStreams.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum ListStreams: Operation {
    static let route = Route.target("Kinesis.ListStreams")

    struct Input: Readable {
      let limit: Int
      let after: String?
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        limit = min(m.integer("Limit", in: 1...10_000) ?? 100, 100)
        after = m.string("ExclusiveStartStreamName", .length(1, 128), .pattern(Kinesis.namePattern))
        token = m.string("NextToken", .length(1, 1_048_576))
      }
    }

    struct Output: Writable {
      let streams: [KinesisStream]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("StreamNames", streams.map(\.key.name))
          w.member("HasMoreStreams", token != nil)
          w.member("NextToken", token)
          w.list("StreamSummaries", streams) { w, stream in
            w.member("StreamName", stream.key.name)
            w.member("StreamARN", stream.arn)
            w.member("StreamStatus", "ACTIVE")
            w.object("StreamModeDetails") { $0.member("StreamMode", stream.mode.rawValue) }
            w.moment("StreamCreationTimestamp", Timestamp(milliseconds: stream.created))
          }
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let now = kinesis.now
      let after: String?
      if let token = input.token { after = try KinesisToken(token, at: now).after } else { after = input.after }
      let page = kinesis.streams.page(call.place, after: after, count: input.limit + 1)
      let streams = Array(page.prefix(input.limit))
      let last = page.count > input.limit ? streams.last?.key.name : nil
      return Output(
        streams: streams, token: last.map { KinesisToken(stream: "", store: 0, after: $0, created: now).text })
    }
  }
}
