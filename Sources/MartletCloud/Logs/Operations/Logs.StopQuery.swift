// StopQuery: ends a query that runs.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StopQuery.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension Logs {
  enum StopQuery: Operation {
    static let route = Route.target("Logs.StopQuery")

    struct Input: Readable {
      let id: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        id = m.required("queryId", .length(1, 256))
      }
    }

    struct Output: Writable {
      var success: Bool { true }

      func write(to w: inout Writer) {
        w.body { w in
          w.member("success", success)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let status = logs.queries.withLock { shelf -> LogsQuery.Status? in
        guard let query = shelf.queries[input.id], query.place == call.place else { return nil }
        if query.status == .running { shelf.change(input.id) { $0.status = .cancelled } }
        return query.status
      }
      guard let status else { throw .logsNoResource("The specified query does not exist.") }
      guard status == .running else { throw .logsInvalid("The query has already ended.") }
      return Output()
    }
  }
}
