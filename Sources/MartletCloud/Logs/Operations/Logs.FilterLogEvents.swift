// FilterLogEvents: the events of a group that match a pattern, in the order of their times.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension Logs {
  enum FilterLogEvents: Operation {
    static let route = Route.target("Logs.FilterLogEvents")

    struct Input: Readable {
      let group: GroupReference
      let streams: [String]?
      let prefix: String?
      let start: Int64?
      let end: Int64?
      let pattern: String
      let limit: Int
      let isAscending: Bool
      let token: LogPosition?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = GroupReference(m)
        streams = m.strings("logStreamNames", count: 1...100, each: [.length(1, 512), .pattern(Logs.streamPattern)])
        prefix = m.string("logStreamNamePrefix", .length(1, 512), .pattern(Logs.streamPattern))
        start = m.time("startTime")
        end = m.time("endTime")
        pattern = m.string("filterPattern", .length(0, 1024)) ?? ""
        limit = m.integer("limit", in: 1...10_000) ?? 10_000
        isAscending = m.bool("startFromHead") ?? true
        _ = m.bool("interleaved")
        _ = m.bool("unmask")
        let text = m.string("nextToken", .length(1, nil))
        token = text.flatMap { EventToken($0)?.position }
        if text != nil, token == nil { m.refuse(.logsInvalid("The specified nextToken is invalid.")) }
        if streams != nil, prefix != nil {
          m.refuse(.logsInvalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."))
        }
      }
    }

    struct Output: Writable {
      let events: [(stream: String, id: String, event: FoundEvent)]
      let token: EventToken?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("events", events) { w, found in
            w.member("logStreamName", found.stream)
            w.member("timestamp", Int(found.event.position.time))
            w.member("message", found.event.text)
            w.member("ingestionTime", Int(found.event.ingestion))
            w.member("eventId", found.id)
          }
          // AWS has left this list empty since 2020.
          w.member("searchedLogStreams", [String]())
          w.member("nextToken", token?.text)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let pattern = try FilterPattern(input.pattern)
      let group = try logs.group(input.group, call.place)
      let window = logs.window(group, from: input.start, to: input.end.map { $0 == .max ? $0 : $0 + 1 })
      return try await logs.searching { () throws(Fault) -> Result<Output, AWSError> in
        let folder = try logs.folder(group)
        var search = LogSearch(streams: nil, window: window)
        if let names = input.streams {
          let found = names.compactMap { folder.stream($0)?.id }
          guard !found.isEmpty else { return .failure(.logsNoStream()) }
          search.streams = Set(found)
        } else if let prefix = input.prefix {
          search.streams = folder.state.withLock { state in
            Set(state.streams.byName.values.filter { $0.name.hasPrefix(prefix) }.map(\.id))
          }
        }
        search.limit = input.limit
        search.isAscending = input.isAscending
        search.after = input.token
        let (events, isComplete) = folder.search(search, needle: pattern.needle) { pattern.matches($0) }
        let names = folder.state.withLock { state in state.streams.byID.mapValues(\.name) }
        return .success(
          Output(
            events: events.map { (names[$0.stream] ?? "", Logs.eventID($0), $0) },
            token: isComplete ? nil : events.last.map { EventToken(isForward: true, position: $0.position) }))
      }.get()
    }
  }
}
