// PutCompositeAlarm: an alarm of other alarms.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum PutCompositeAlarm: Operation {
    static let route = Route.target("CloudWatch.PutCompositeAlarm")

    struct Input: Readable {
      let name: String
      let settings: AlarmSettings
      let tags: [MetricAlarm.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("AlarmName", .length(1, 255))
        settings = AlarmSettings(m, isComposite: true)
        tags = m.cloudWatchTags("Tags")
        settings.check(m)
        PutMetricAlarm.readConfiguration(m)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      for name in AlarmRule(input.settings.rule ?? "")?.names.sorted() ?? []
      where cloudWatch.metricAlarms.find(ResourceKey(place: call.place, name: name)) == nil {
        throw .cloudWatchValidation(
          "Could not save the composite alarm as alarms [\(name)] in the alarm rule do not exist")
      }
      try await cloudWatch.put(input.name, input.settings, input.tags, call.place)
      return Empty()
    }
  }
}
