// PutMetricAlarm: an alarm of a metric or of an expression.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum PutMetricAlarm: Operation {
    static let route = Route.target("CloudWatch.PutMetricAlarm")

    struct Input: Readable {
      let name: String
      let settings: AlarmSettings
      let tags: [MetricAlarm.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("AlarmName", .length(1, 255))
        settings = AlarmSettings(m, isComposite: false)
        tags = m.cloudWatchTags("Tags")
        settings.check(m)
        PutMetricAlarm.readLater(m)
      }
    }

    /// What the model has and Martlet does not know is checked, and refused if it is said.
    static func readLater(_ m: Members) {
      if let window = m.object("EvaluationWindow") {
        _ = window.object("WallClockWindow")?.string("Timezone", .length(1, 50))
        _ = window.object("SlidingWindow")
      }
      if let warmUp = m.object("WarmUpConfiguration") {
        _ = warmUp.requiredInteger("WarmUpPeriodDurationInMinutes", in: 1...2880)
        _ = warmUp.bool("OnlyStartEvaluatingAfterWarmUpPeriodEnds")
        m.refuse(.notImplemented("PutMetricAlarm with WarmUpConfiguration"))
      }
      if let criteria = m.object("EvaluationCriteria") {
        if let language = criteria.object("PromQLCriteria") {
          _ = language.required("Query", .length(1, 10000))
          _ = language.integer("PendingPeriod", in: 0...86400)
          _ = language.integer("RecoveryPeriod", in: 0...86400)
        }
        m.refuse(.notImplemented("PutMetricAlarm with EvaluationCriteria"))
      }
      _ = m.integer("EvaluationInterval", in: 10...3600)
      readConfiguration(m)
    }

    static func readConfiguration(_ m: Members) {
      guard let propagation = m.object("ActionConfiguration")?.object("AlarmTagsPropagation") else { return }
      _ = propagation.bool("Enabled", isRequired: true)
      for name in ["IncludedTagKeys", "ExcludedTagKeys"] {
        _ = propagation.strings(name, count: 1...50, each: [.length(1, 128)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      try await cloudWatch.put(input.name, input.settings, input.tags, call.place)
      return Empty()
    }
  }
}

extension Members {
  func cloudWatchTags(_ name: String, isRequired: Bool = false) -> [MetricAlarm.Tag] {
    let list = isRequired ? requiredObjects(name) : objects(name) ?? []
    return list.map { .init(key: $0.required("Key", .length(1, 128)), value: $0.required("Value", .length(0, 256))) }
  }
}
