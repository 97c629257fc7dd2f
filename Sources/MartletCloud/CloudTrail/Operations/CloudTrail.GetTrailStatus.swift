// GetTrailStatus: whether a trail logs, and what came of its last deliveries.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum GetTrailStatus: Operation {
    static let route = Route.target("CloudTrail.GetTrailStatus")

    struct Input: Readable {
      let trail: TrailReference
      init(_ r: Reader) throws(AWSError) { trail = TrailReference(text: try r.body().required("Name")) }
    }

    struct Output: Writable {
      let status: Trail.Status

      func write(to w: inout Writer) {
        func moment(_ value: Int64?) -> Timestamp? { value.map { Timestamp(milliseconds: $0) } }
        func text(_ value: Int64?) -> String { moment(value)?.iso8601Seconds ?? "" }
        w.body { w in
          w.member("IsLogging", status.isLogging)
          w.member("LatestDeliveryError", status.error)
          w.member("LatestNotificationError", status.notificationError)
          w.moment("LatestDeliveryTime", moment(status.delivered))
          w.moment("LatestNotificationTime", moment(status.notified))
          w.moment("StartLoggingTime", moment(status.started))
          w.moment("StopLoggingTime", moment(status.stopped))
          w.member("LatestCloudWatchLogsDeliveryError", status.logError)
          w.moment("LatestCloudWatchLogsDeliveryTime", moment(status.logged))
          w.member("LatestDeliveryAttemptTime", text(status.attempted))
          w.member("LatestNotificationAttemptTime", text(status.notified))
          w.member("LatestNotificationAttemptSucceeded", text(status.notified))
          w.member("LatestDeliveryAttemptSucceeded", text(status.delivered))
          w.member("TimeLoggingStarted", text(status.started))
          w.member("TimeLoggingStopped", text(status.stopped))
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      Output(status: try input.trail.find(service.trails, call).status)
    }
  }
}
