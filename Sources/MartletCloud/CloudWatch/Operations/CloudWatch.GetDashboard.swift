// GetDashboard: a dashboard as it was put.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetDashboard.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum GetDashboard: Operation {
    static let route = Route.target("CloudWatch.GetDashboard")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) { name = try r.body().required("DashboardName") }
    }

    struct Output: Writable {
      let dashboard: Dashboard

      func write(to w: inout Writer) {
        w.body { w in
          w.member("DashboardArn", dashboard.arn)
          w.member("DashboardBody", dashboard.body)
          w.member("DashboardName", dashboard.key.name)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      guard let found = cloudWatch.dashboards.find(Dashboard.key(input.name, call.place)) else {
        throw .dashboardMissing(input.name)
      }
      return Output(dashboard: found)
    }
  }
}
