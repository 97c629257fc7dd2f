// StartLiveTail: a stream of what comes into groups, as it comes.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum StartLiveTail: Operation {
    static let route = Route.target("Logs.StartLiveTail")

    struct Input: Readable {
      let groups: [String]
      let streams: [String]
      let prefixes: [String]
      let pattern: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        groups = m.requiredStrings(
          "logGroupIdentifiers", count: 1...10, each: [.length(1, 2048), .pattern(Logs.identifierPattern)])
        let each: [Constraint] = [.length(1, 512), .pattern(Logs.streamPattern)]
        streams = m.strings("logStreamNames", count: 1...100, each: each) ?? []
        prefixes = m.strings("logStreamNamePrefixes", count: 1...100, each: each) ?? []
        pattern = m.string("logEventFilterPattern", .length(0, 1024)) ?? ""
        if !streams.isEmpty, !prefixes.isEmpty {
          m.refuse(.logsInvalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."))
        } else if groups.count > 1, !streams.isEmpty || !prefixes.isEmpty {
          m.refuse(.logsInvalid("Streams can be named for a single log group only."))
        }
      }
    }

    struct Output: Writable {
      let tail: LiveTail

      func write(to w: inout Writer) {
        w.header("Content-Type", "application/vnd.amazon.eventstream")
        w.payload(tail)
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      var keys: Set<ResourceKey> = []
      for identifier in input.groups {
        keys.insert(try logs.group(GroupReference(identifier: identifier), call.place).key)
      }
      let session = LiveTail.Session(
        requestID: call.requestID.description, sessionID: RequestID(from: logs.world).description, groups: input.groups,
        streams: input.streams, prefixes: input.prefixes, pattern: input.pattern)
      let tail = LiveTail(session, keys: keys, pattern: try FilterPattern(input.pattern), logs: logs)
      try logs.begin(tail)
      return Output(tail: tail)
    }
  }
}
