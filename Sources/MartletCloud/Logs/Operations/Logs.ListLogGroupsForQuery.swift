// ListLogGroupsForQuery: the groups of a query.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListLogGroupsForQuery.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension Logs {
  enum ListLogGroupsForQuery: Operation {
    static let route = Route.target("Logs.ListLogGroupsForQuery")

    struct Input: Readable {
      let id: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        id = m.required("queryId", .length(1, 256))
        _ = m.string("nextToken", .length(1, nil))
        _ = m.integer("maxResults", in: 50...500)
      }
    }

    struct Output: Writable {
      let groups: [String]

      func write(to w: inout Writer) {
        w.body { w in
          w.member("logGroupIdentifiers", groups)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      guard let query = logs.queries.withLock({ $0.queries[input.id] }), query.place == call.place else {
        throw .logsNoResource("The specified query does not exist.")
      }
      return Output(groups: query.groups)
    }
  }
}
