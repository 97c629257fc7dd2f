// ListDashboards: the dashboards of an account, by their names.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListDashboards.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum ListDashboards: Operation {
    static let route = Route.target("CloudWatch.ListDashboards")
    private static let pageSize = 1000

    struct Input: Readable {
      let prefix: String
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.string("DashboardNamePrefix") ?? ""
        token = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let dashboards: [Dashboard]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("DashboardEntries", dashboards) { w, dashboard in
            w.member("DashboardName", dashboard.key.name)
            w.member("DashboardArn", dashboard.arn)
            w.moment("LastModified", dashboard.modified)
            w.member("Size", dashboard.body.utf8.count)
          }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      let all = cloudWatch.dashboards.list(Dashboard.key("", call.place).place)
      let wanted = all.filter { $0.key.name.hasPrefix(input.prefix) }
      let (page, token) = try CloudWatchPage.cut(wanted, input.token, size: pageSize)
      return Output(dashboards: page, token: token)
    }
  }
}
