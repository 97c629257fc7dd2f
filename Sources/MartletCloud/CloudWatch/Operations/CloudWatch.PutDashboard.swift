// PutDashboard: keeps a dashboard's body as it is.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum PutDashboard: Operation {
    static let route = Route.target("CloudWatch.PutDashboard")
    private static let namePattern = Pattern("[A-Za-z0-9_-]{1,255}")

    struct Input: Readable {
      let name: String
      let body: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("DashboardName")
        body = m.required("DashboardBody")
        _ = m.cloudWatchTags("Tags")
      }
    }

    struct Output: Writable {
      func write(to w: inout Writer) {
        w.body { $0.list("DashboardValidationMessages", [MetricResult.Message]()) { $1.write(to: &$0) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      guard namePattern.matches(input.name) else {
        throw .dashboardInvalid(
          "The value \(input.name) for field DashboardName contains invalid characters. "
            + "It can only contain alphanumerics, dash (-) and underscore (_).", "The name is invalid")
      }
      guard let json = try? JSONValue(parsing: input.body), json.members != nil else {
        throw .dashboardInvalid("The field DashboardBody must be a valid JSON object", "The body is no JSON object")
      }
      let record = Dashboard(
        key: Dashboard.key(input.name, call.place), body: input.body, modified: cloudWatch.world.now())
      try await cloudWatch.dashboards.change(record.key) { (after: inout Dashboard?) throws(AWSError) -> Void in
        after = record
      }
      return Output()
    }
  }
}
