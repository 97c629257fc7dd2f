// DescribeQueries: the queries of the last time, the newest first.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeQueries.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension Logs {
  enum DescribeQueries: Operation {
    static let route = Route.target("Logs.DescribeQueries")

    struct Input: Readable {
      let group: String?
      let status: String?
      let language: String?
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.string("logGroupName", .length(1, 512), .pattern(Logs.groupPattern))
        status = m.string(
          "status", .oneOf(["Scheduled", "Running", "Complete", "Failed", "Cancelled", "Timeout", "Unknown"]))
        page = LogsPage(m, limit: "maxResults", upTo: 1000)
        language = m.string("queryLanguage", .oneOf(["CWLI", "SQL", "PPL"]))
      }
    }

    struct Output: Writable {
      let queries: [LogsQuery]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("queries", queries) { w, query in
            w.member("queryLanguage", "CWLI")
            w.member("queryId", query.id)
            w.member("queryString", query.text)
            w.member("status", query.status.rawValue)
            w.member("createTime", Int(query.created))
            w.member("logGroupName", query.groups.first)
            w.member("queryDuration", Int(query.duration))
            w.member("bytesScanned", Double(query.bytes))
            w.member("userIdentity", query.identity)
          }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let queries = logs.queries.withLock { $0.list(call.place) }.filter { query in
        (input.group.map { query.groups.contains($0) } ?? true)
          && (input.status.map { $0 == query.status.rawValue } ?? true)
          && (input.language ?? "CWLI") == "CWLI"
      }
      let numbered = queries.enumerated().map { (key: Logs.digits(UInt64($0.offset), 6), query: $0.element) }
      let (page, token) = input.page.cut(numbered, name: \.key)
      return Output(queries: page.map(\.query), token: token)
    }
  }
}
