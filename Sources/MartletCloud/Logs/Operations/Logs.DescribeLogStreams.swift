// DescribeLogStreams: the streams of a group, by name or by their last event.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension Logs {
  enum DescribeLogStreams: Operation {
    static let route = Route.target("Logs.DescribeLogStreams")

    struct Input: Readable {
      let group: GroupReference
      let prefix: String
      let isByTime: Bool
      let isDescending: Bool
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = GroupReference(m)
        let prefix = m.string("logStreamNamePrefix", .length(1, 512), .pattern(Logs.streamPattern))
        self.prefix = prefix ?? ""
        isByTime = m.string("orderBy", .oneOf(["LogStreamName", "LastEventTime"])) == "LastEventTime"
        isDescending = m.bool("descending") ?? false
        page = LogsPage(m)
        if isByTime, prefix != nil {
          m.refuse(.logsInvalid("Cannot order by LastEventTime with a logStreamNamePrefix."))
        }
      }
    }

    struct Output: Writable {
      let streams: [DescribedStream]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("logStreams", streams) { w, described in described.write(to: &w) }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let group = try logs.group(input.group, call.place)
      let streams = try await logs.searching { () throws(Fault) -> [DescribedStream] in
        try logs.folder(group).state.withLock { state in
          state.streams.byName.values.filter { $0.name.hasPrefix(input.prefix) }.map { stream in
            DescribedStream(
              stream: stream, arn: group.streamARN(stream.name), share: state.shares[stream.id],
              key: input.isByTime ? Logs.sortable(state.shares[stream.id]?.newest ?? 0, stream.name) : stream.name)
          }
        }
      }
      let isBefore: (String, String) -> Bool = input.isDescending ? { $0 > $1 } : { $0 < $1 }
      let sorted = streams.sorted { isBefore($0.key, $1.key) }
      let (page, token) = input.page.cut(sorted, name: \.key, isBefore: isBefore)
      return Output(streams: page, token: token)
    }
    struct DescribedStream: Sendable {
      let stream: LogStream
      let arn: String
      let share: LogSegment.Share?
      /// By which it is sorted.
      let key: String

      func write(to w: inout MemberWriter) {
        w.member("logStreamName", stream.name)
        w.member("creationTime", Int(stream.created))
        if let share {
          w.member("firstEventTimestamp", Int(share.oldest))
          w.member("lastEventTimestamp", Int(share.newest))
          w.member("lastIngestionTime", Int(share.ingestion))
        }
        w.member("uploadSequenceToken", Logs.sequenceToken(stream))
        w.member("arn", arn)
        // AWS has not counted the bytes of single streams since 2019.
        w.member("storedBytes", 0)
      }
    }
  }
}
