// DeleteRetentionPolicy: events are kept for ever.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DeleteRetentionPolicy: Operation {
    static let route = Route.target("Logs.DeleteRetentionPolicy")

    struct Input: Readable {
      let group: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.update(input.group, call.place) { group throws(AWSError) in group.retention = nil }
      return Empty()
    }
  }
}
