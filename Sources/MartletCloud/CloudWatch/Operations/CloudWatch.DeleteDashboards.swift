// DeleteDashboards: all of them, or none if one is not there.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteDashboards.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum DeleteDashboards: Operation {
    static let route = Route.target("CloudWatch.DeleteDashboards")

    struct Input: Readable {
      let names: [String]

      init(_ r: Reader) throws(AWSError) { names = try r.body().requiredStrings("DashboardNames") }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      for name in input.names where cloudWatch.dashboards.find(Dashboard.key(name, call.place)) == nil {
        throw .dashboardMissing(name)
      }
      for name in input.names {
        try await cloudWatch.dashboards.change(Dashboard.key(name, call.place)) {
          (after: inout Dashboard?) throws(AWSError) -> Void in
          after = nil
        }
      }
      return Empty()
    }
  }
}
