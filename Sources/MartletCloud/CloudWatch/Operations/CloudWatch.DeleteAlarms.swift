// DeleteAlarms: all of them, or none if one is not there or others look at it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum DeleteAlarms: Operation {
    static let route = Route.target("CloudWatch.DeleteAlarms")

    struct Input: Readable {
      let names: [String]

      init(_ r: Reader) throws(AWSError) {
        names = try r.body().requiredStrings("AlarmNames", count: 0...100, each: [.length(1, 255)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      let missing = input.names.filter { cloudWatch.metricAlarms.find(.init(place: call.place, name: $0)) == nil }
      guard missing.isEmpty else {
        throw .cloudWatchNotFound("Unknown alarms \(missing)")
      }
      for other in cloudWatch.metricAlarms.list(call.place) where !input.names.contains(other.key.name) {
        let used = other.settings.rule.flatMap { AlarmRule($0) }?.names ?? []
        if let name = input.names.first(where: { used.contains($0) }) {
          throw AWSError(
            "ResourceConflict", status: 409,
            "The alarm \(name) is used by the composite alarm \(other.key.name) and cannot be deleted.")
        }
      }
      for name in input.names {
        let key = ResourceKey(place: call.place, name: name)
        let now = cloudWatch.world.now()
        try await cloudWatch.metricAlarms.change(
          key,
          { (record: inout MetricAlarm?) throws(AWSError) -> String? in
            defer { record = nil }
            return record?.type
          },
          with: { type, session throws(Fault) in
            guard let type else { return }
            let item = AlarmHistoryItem(
              alarm: name, alarmType: type, time: now, type: "ConfigurationUpdate",
              summary: "Alarm \"\(name)\" deleted",
              data: #"{"version":"1.0","type":"Delete"}"#)
            try AlarmHistory.insert([item], key.place, session)
          })
      }
      return Empty()
    }
  }
}
