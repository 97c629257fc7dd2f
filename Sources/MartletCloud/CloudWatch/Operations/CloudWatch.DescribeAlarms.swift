// DescribeAlarms: alarms, by name, beginning, state or action.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  static let alarmTypes = ["CompositeAlarm", "MetricAlarm", "LogAlarm"]

  enum DescribeAlarms: Operation {
    static let route = Route.target("CloudWatch.DescribeAlarms")

    struct Input: Readable {
      let names: [String]?
      let prefix: String?
      let types: [String]
      let children: String?
      let parents: String?
      let value: String?
      let action: String?
      let count: Int
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        names = m.strings("AlarmNames", count: 0...100, each: [.length(1, 255)])
        prefix = m.string("AlarmNamePrefix", .length(1, 255))
        types = m.strings("AlarmTypes", each: [.oneOf(CloudWatch.alarmTypes)]) ?? []
        children = m.string("ChildrenOfAlarmName", .length(1, 255))
        parents = m.string("ParentsOfAlarmName", .length(1, 255))
        value = m.string("StateValue", .oneOf(["OK", "ALARM", "INSUFFICIENT_DATA"]))
        action = m.string("ActionPrefix", .length(1, 1024))
        count = m.integer("MaxRecords", in: 1...100) ?? 50
        token = m.string("NextToken")
        if names?.isEmpty == false, prefix != nil {
          m.refuse(.cloudWatchCombination("Only one of AlarmNames and AlarmNamePrefix may be specified."))
        }
      }

      func wants(_ alarm: MetricAlarm, _ named: Set<String>?) -> Bool {
        // Whoever does not ask for others gets alarms of metrics.
        let wantedTypes = types.isEmpty && children == nil && parents == nil ? ["MetricAlarm"] : types
        guard wantedTypes.isEmpty || wantedTypes.contains(alarm.type) else { return false }
        if let named, !named.contains(alarm.key.name) { return false }
        if let prefix, !alarm.key.name.hasPrefix(prefix) { return false }
        if let value, alarm.state.value.rawValue != value { return false }
        if let parents, alarm.rule?.names.contains(parents) != true { return false }
        guard let action else { return true }
        let actions = alarm.settings.actions.values.flatMap { $0 }
        return actions.contains { $0.hasPrefix(action) }
      }
    }

    struct Output: Writable {
      let alarms: [MetricAlarm]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("MetricAlarms", alarms.filter { !$0.settings.isComposite }) { $1.write(to: &$0) }
          w.list("CompositeAlarms", alarms.filter { $0.settings.isComposite }) { $1.write(to: &$0) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      var named = input.names.flatMap { $0.isEmpty ? nil : Set($0) }
      if let parent = input.children {
        named = cloudWatch.metricAlarms.find(ResourceKey(place: call.place, name: parent))?.rule?.names ?? []
      }
      let wanted = cloudWatch.metricAlarms.list(call.place).filter { [named] in input.wants($0, named) }
      let (page, token) = try CloudWatchPage.cut(wanted, input.token, size: input.count)
      return Output(alarms: page, token: token)
    }
  }
}

extension MetricAlarm {
  var rule: AlarmRule? { settings.rule.flatMap { AlarmRule($0) } }
}
