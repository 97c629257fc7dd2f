// SetAlarmState: puts an alarm into a state, until its metric says otherwise.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum SetAlarmState: Operation {
    static let route = Route.target("CloudWatch.SetAlarmState")

    struct Input: Readable {
      let name: String
      let value: AlarmValue
      let reason: String
      let data: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("AlarmName", .length(1, 255))
        value =
          AlarmValue(rawValue: m.required("StateValue", .oneOf(["OK", "ALARM", "INSUFFICIENT_DATA"])))
          ?? .insufficientData
        reason = m.required("StateReason", .length(0, 1023))
        data = m.string("StateReasonData", .length(0, 4000))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      let key = ResourceKey(place: call.place, name: input.name)
      guard cloudWatch.metricAlarms.find(key) != nil else {
        throw .cloudWatchNotFound("Unknown alarm \(input.name)")
      }
      if let data = input.data, (try? JSONValue(parsing: data)) == nil {
        throw .cloudWatchFormat("StateReasonData was not valid JSON")
      }
      try await cloudWatch.enter(key, input.value, input.reason, input.data)
      cloudWatch.watch.schedule(key)
      return Empty()
    }
  }
}
