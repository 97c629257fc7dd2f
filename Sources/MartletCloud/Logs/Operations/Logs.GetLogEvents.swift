// GetLogEvents: the events of one stream, a page in either direction.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum GetLogEvents: Operation {
    static let route = Route.target("Logs.GetLogEvents")

    struct Input: Readable {
      let group: GroupReference
      let stream: String
      let start: Int64?
      let end: Int64?
      let limit: Int
      let fromHead: Bool
      let token: EventToken?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = GroupReference(m)
        stream = m.logStream()
        start = m.time("startTime")
        end = m.time("endTime")
        limit = m.integer("limit", in: 1...10_000) ?? 10_000
        fromHead = m.bool("startFromHead") ?? false
        _ = m.bool("unmask")
        let text = m.string("nextToken", .length(1, nil))
        token = text.flatMap { EventToken($0) }
        if text != nil, token == nil { m.refuse(.logsInvalid("The specified nextToken is invalid.")) }
      }
    }

    struct Output: Writable {
      let events: [FoundEvent]
      let forward: EventToken
      let backward: EventToken

      func write(to w: inout Writer) {
        w.body { w in
          w.list("events", events) { w, event in
            w.member("timestamp", Int(event.position.time))
            w.member("message", event.text)
            w.member("ingestionTime", Int(event.ingestion))
          }
          w.member("nextForwardToken", forward.text)
          w.member("nextBackwardToken", backward.text)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let group = try logs.group(input.group, call.place)
      let window = logs.window(group, from: input.start, to: input.end)
      return try await logs.searching { () throws(Fault) -> Result<Output, AWSError> in
        let folder = try logs.folder(group)
        guard let stream = folder.stream(input.stream) else { return .failure(.logsNoStream()) }
        var search = LogSearch(streams: [stream.id], window: window)
        search.limit = input.limit
        search.isAscending = input.token.map(\.isForward) ?? input.fromHead
        search.after = input.token?.position
        var events = folder.search(search).events
        if !search.isAscending { events.reverse() }
        // At an end the tokens point to where they pointed before.
        let here = input.token?.position ?? LogPosition(time: 0, segment: 0, offset: 0)
        let (forward, backward) = (events.last?.position ?? here, events.first?.position ?? here)
        return .success(
          Output(
            events: events, forward: EventToken(isForward: true, position: forward),
            backward: EventToken(isForward: false, position: backward)))
      }.get()
    }
  }
}
