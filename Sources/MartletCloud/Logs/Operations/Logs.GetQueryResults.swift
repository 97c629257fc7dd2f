// GetQueryResults: how far a query is, and its results.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension Logs {
  enum GetQueryResults: Operation {
    static let route = Route.target("Logs.GetQueryResults")

    struct Input: Readable {
      let id: String
      let after: Int
      let count: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        id = m.required("queryId", .length(1, 256))
        let token = m.string("nextToken", .length(nil, 1024))
        after = token.flatMap { LogsToken.text($0) }.flatMap { Int($0) } ?? 0
        if token != nil, after < 1 { m.refuse(.logsInvalid("The specified nextToken is invalid.")) }
        count = m.integer("maxItems", in: 0...10_000) ?? 10_000
      }
    }

    struct Output: Writable {
      let query: LogsQuery
      let page: [[(field: String, value: String)]]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("queryLanguage", "CWLI")
          w.member(
            "results",
            .array(
              page.map { row in
                .array(row.map { .members(("field", .string($0.field)), ("value", .string($0.value))) })
              }))
          w.object("statistics") { w in
            w.member("recordsMatched", Double(query.matched))
            w.member("recordsScanned", Double(query.scanned))
            w.member("bytesScanned", Double(query.bytes))
            w.member("estimatedRecordsSkipped", 0.0)
            w.member("estimatedBytesSkipped", 0.0)
            w.member("logGroupsScanned", Double(query.groups.count))
            w.member("resultCount", Double(query.results.count))
          }
          w.member("status", query.status.rawValue)
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      guard let query = logs.queries.withLock({ $0.queries[input.id] }), query.place == call.place else {
        throw .logsNoResource("The specified query does not exist.")
      }
      let end = min(query.results.count, input.after + (input.count == 0 ? 10_000 : input.count))
      let page = input.after < end ? Array(query.results[input.after..<end]) : []
      return Output(query: query, page: page, token: end < query.results.count ? LogsToken.make(String(end)) : nil)
    }
  }
}
