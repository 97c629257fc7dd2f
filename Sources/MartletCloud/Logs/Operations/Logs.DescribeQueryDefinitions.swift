// DescribeQueryDefinitions: the queries that are kept.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeQueryDefinitions.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DescribeQueryDefinitions: Operation {
    static let route = Route.target("Logs.DescribeQueryDefinitions")

    struct Input: Readable {
      let prefix: String
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        _ = m.string("queryLanguage", .oneOf(["CWLI", "SQL", "PPL"]))
        prefix = m.string("queryDefinitionNamePrefix", .length(1, 255)) ?? ""
        page = LogsPage(m, limit: "maxResults", upTo: 1000)
      }
    }

    struct Output: Writable {
      let definitions: [QueryDefinition]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("queryDefinitions", .array(definitions.map(\.members)))
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let definitions = logs.definitions.list(call.place).filter { $0.name.hasPrefix(input.prefix) }
      let (page, token) = input.page.cut(definitions, name: \.key.name)
      return Output(definitions: page, token: token)
    }
  }
}
