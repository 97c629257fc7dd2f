// PutRetentionPolicy: after how many days events are removed.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutRetentionPolicy: Operation {
    static let route = Route.target("Logs.PutRetentionPolicy")

    struct Input: Readable {
      let group: String
      let days: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        days = m.requiredInteger("retentionInDays", in: Int.min...Int.max)
        if m.contains("retentionInDays"), !Logs.retentions.contains(days) {
          let values = Logs.retentions.map(String.init).joined(separator: ", ")
          r.violate(
            "Value '\(days)' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [\(values)]"
          )
        }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.update(input.group, call.place) { group throws(AWSError) in group.retention = input.days }
      logs.armSweep()
      return Empty()
    }
  }
}
