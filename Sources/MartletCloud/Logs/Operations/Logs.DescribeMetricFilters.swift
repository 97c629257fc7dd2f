// DescribeMetricFilters: the metric filters of a group, or of all of them.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DescribeMetricFilters: Operation {
    static let route = Route.target("Logs.DescribeMetricFilters")

    struct Input: Readable {
      let group: String?
      let prefix: String
      let metric: String?
      let namespace: String?
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.string("logGroupName", .length(1, 512), .pattern(Logs.groupPattern))
        prefix = m.string("filterNamePrefix", .length(1, 512), .pattern(Logs.namePattern)) ?? ""
        metric = m.string("metricName", .length(nil, 255), .pattern(Logs.metricPattern))
        namespace = m.string("metricNamespace", .length(nil, 255), .pattern(Logs.metricPattern))
        page = LogsPage(m)
      }
    }

    struct Output: Writable {
      let filters: [(group: String, filter: MetricFilter)]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("metricFilters", filters) { w, found in found.filter.write(to: &w, group: found.group) }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let groups: [LogGroup]
      if let name = input.group {
        groups = [try logs.group(name, call.place)]
      } else {
        groups = logs.groups.list(call.place)
      }
      let filters = groups.flatMap { group in
        group.metricFilters.filter { filter in
          let transformation = filter.transformations.array?.first
          return filter.name.hasPrefix(input.prefix)
            && (input.metric.map { transformation?["metricName"]?.string == $0 } ?? true)
            && (input.namespace.map { transformation?["metricNamespace"]?.string == $0 } ?? true)
        }.sorted { $0.name < $1.name }.map { (group: group.key.name, filter: $0) }
      }
      let (page, token) = input.page.cut(filters) { "\($0.group):\($0.filter.name)" }
      return Output(filters: page, token: token)
    }
  }
}
