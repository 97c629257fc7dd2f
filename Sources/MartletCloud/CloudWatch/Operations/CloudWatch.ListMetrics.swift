// ListMetrics: the metrics that have had values in the last two weeks.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
import MartletCore
import MartletWire

extension CloudWatch {
  enum ListMetrics: Operation {
    static let route = Route.target("CloudWatch.ListMetrics")
    private static let pageSize = 500

    struct Input: Readable {
      let space: String?
      let name: String?
      let dimensions: [(name: String, value: String?)]
      let isRecent: Bool
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        space = m.string("Namespace", .length(1, 255), CloudWatch.spacePattern)
        name = m.string("MetricName", .length(1, 255))
        dimensions = (m.objects("Dimensions", count: 0...10) ?? []).map {
          ($0.required("Name", .length(1, 255)), $0.string("Value", .length(1, 1024)))
        }
        isRecent = m.string("RecentlyActive", .oneOf(["PT3H"])) != nil
        token = m.string("NextToken")
        _ = m.bool("IncludeLinkedAccounts")
        _ = m.string("OwningAccount", .length(1, 255))
      }

      func wants(_ metric: MetricName) -> Bool {
        (space == nil || space == metric.space) && (name == nil || name == metric.name)
          && dimensions.allSatisfy { wanted in
            metric.dimensions.contains { $0.name == wanted.name && (wanted.value == nil || wanted.value == $0.value) }
          }
      }
    }

    struct Output: Writable {
      let metrics: [MetricName]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Metrics", metrics) { $1.identity.write(to: &$0) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      let since = cloudWatch.world.now().seconds - (input.isRecent ? 3 * 3600 : 14 * 86400)
      let found = cloudWatch.metrics.list(call.place, since: since, where: input.wants)
      let (page, token) = try CloudWatchPage.cut(found, input.token, size: pageSize)
      return Output(metrics: page, token: token)
    }
  }
}
