// DescribeSubscriptionFilters: the subscriptions of a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DescribeSubscriptionFilters: Operation {
    static let route = Route.target("Logs.DescribeSubscriptionFilters")

    struct Input: Readable {
      let group: String
      let prefix: String
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        prefix = m.string("filterNamePrefix", .length(1, 512), .pattern(Logs.namePattern)) ?? ""
        page = LogsPage(m)
      }
    }

    struct Output: Writable {
      let group: String
      let filters: [SubscriptionFilter]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("subscriptionFilters", filters) { w, filter in filter.write(to: &w, group: group) }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let group = try logs.group(input.group, call.place)
      let filters = group.subscriptions.filter { $0.name.hasPrefix(input.prefix) }.sorted { $0.name < $1.name }
      let (page, token) = input.page.cut(filters, name: \.name)
      return Output(group: input.group, filters: page, token: token)
    }
  }
}
