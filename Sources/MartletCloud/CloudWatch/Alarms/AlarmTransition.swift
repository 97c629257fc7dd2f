// An alarm that has come into another state: what its history says of it, and what the targets of its actions are told.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
import MartletCore
import MartletStore
import MartletWire

struct AlarmTransition: Sendable {
  let alarm: MetricAlarm
  let before: MetricAlarm.State

  var item: AlarmHistoryItem {
    AlarmHistoryItem(
      alarm: alarm.key.name, alarmType: alarm.type, time: alarm.state.updated, type: "StateUpdate",
      summary: "Alarm updated from \(before.value.rawValue) to \(alarm.state.value.rawValue)",
      data: JSONValue.members(
        ("version", .string("1.0")), ("oldState", AlarmTransition.short(before)),
        ("newState", AlarmTransition.short(alarm.state))
      ).text)
  }

  private static func short(_ state: MetricAlarm.State) -> JSONValue {
    .members(
      ("stateValue", .string(state.value.rawValue)), ("stateReason", .string(state.reason)),
      ("stateReasonData", state.data.flatMap { try? JSONValue(parsing: $0) }))
  }

  /// One for each action.
  var drafts: [Parcel.Draft] {
    guard alarm.settings.actionsEnabled else { return [] }
    return (alarm.settings.actions[alarm.state.value] ?? []).map { action in
      let isFunction = ARN(action)?.service == "lambda"
      let notice = AlarmNotice(
        alarm: alarm.key.name, type: alarm.type, place: alarm.key.place, action: action,
        subject: String("\(alarm.state.value.rawValue): \"\(alarm.key.name)\" in \(regionName)".prefix(100)),
        text: isFunction ? event.text : message.text, time: alarm.state.updated.milliseconds)
      return Parcel.Draft(target: action, body: Array(notice.json.text.utf8))
    }
  }

  private var regionName: String {
    AlarmTransition.regions[alarm.key.place.region.name] ?? alarm.key.place.region.name
  }

  private static let regions = [
    "us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)", "eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)",
    "eu-central-1": "EU (Frankfurt)", "eu-north-1": "EU (Stockholm)", "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-south-1": "Asia Pacific (Mumbai)", "ca-central-1": "Canada (Central)", "sa-east-1": "South America (Sao Paulo)",
  ]

  // MARK: - For topics

  private static func text(_ value: String?) -> JSONValue? { value.map { JSONValue.string($0) } }
  private static func number(_ value: Int?) -> JSONValue? { value.map { JSONValue.integer(Int64($0)) } }

  private func list(_ value: AlarmValue) -> JSONValue {
    JSONValue.array((alarm.settings.actions[value] ?? []).map { JSONValue.string($0) })
  }

  private var message: JSONValue {
    let (settings, state) = (alarm.settings, alarm.state)
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ value: JSONValue?) { if let value { members.append(.init(name, value)) } }
    add("AlarmName", AlarmTransition.text(alarm.key.name))
    add("AlarmDescription", AlarmTransition.text(settings.description) ?? .null)
    add("AWSAccountId", AlarmTransition.text(alarm.key.place.account.id))
    add("AlarmConfigurationUpdatedTimestamp", AlarmTransition.text(alarm.configured.lambdaLastModified))
    add("AlarmRule", AlarmTransition.text(settings.rule))
    add("NewStateValue", AlarmTransition.text(state.value.rawValue))
    add("NewStateReason", AlarmTransition.text(state.reason))
    add("StateChangeTime", AlarmTransition.text(state.updated.lambdaLastModified))
    add("Region", AlarmTransition.text(regionName))
    add("AlarmArn", AlarmTransition.text(alarm.arn))
    add("OldStateValue", AlarmTransition.text(before.value.rawValue))
    for (value, name) in AlarmSettings.actionNames { add(name, list(value)) }
    if !settings.isComposite { add("Trigger", trigger) }
    return .object(members)
  }

  private var trigger: JSONValue {
    let settings = alarm.settings
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ value: JSONValue?) { if let value { members.append(.init(name, value)) } }
    add("MetricName", AlarmTransition.text(settings.metric?.name))
    add("Namespace", AlarmTransition.text(settings.metric?.space))
    add("StatisticType", AlarmTransition.text(settings.extendedStatistic == nil ? "Statistic" : "ExtendedStatistic"))
    add("Statistic", AlarmTransition.text(settings.statistic?.uppercased()))
    add("ExtendedStatistic", AlarmTransition.text(settings.extendedStatistic))
    add("Unit", AlarmTransition.text(settings.unit) ?? .null)
    if let metric = settings.metric {
      let dimensions = metric.dimensions.map { dimension in
        JSONValue.object([.init("value", .string(dimension.value)), .init("name", .string(dimension.name))])
      }
      add("Dimensions", .array(dimensions))
    }
    add("Period", AlarmTransition.number(settings.step))
    add("EvaluationPeriods", AlarmTransition.number(settings.evaluationPeriods))
    add("DatapointsToAlarm", AlarmTransition.number(settings.datapoints))
    add("ComparisonOperator", AlarmTransition.text(settings.comparison))
    if let threshold = settings.threshold { add("Threshold", .double(threshold)) }
    add("TreatMissingData", AlarmTransition.text(settings.missing ?? "missing"))
    add("EvaluateLowSampleCountPercentile", AlarmTransition.text(settings.lowSample ?? ""))
    return .object(members)
  }

  // MARK: - For functions

  private var event: JSONValue {
    let data = JSONValue.members(
      ("alarmName", .string(alarm.key.name)), ("state", AlarmTransition.long(alarm.state)),
      ("previousState", AlarmTransition.long(before)), ("configuration", configuration))
    return JSONValue.members(
      ("source", .string("aws.cloudwatch")), ("alarmArn", .string(alarm.arn)),
      ("accountId", .string(alarm.key.place.account.id)), ("time", .string(alarm.state.updated.lambdaLastModified)),
      ("region", .string(alarm.key.place.region.name)), ("alarmData", data))
  }

  private static func long(_ state: MetricAlarm.State) -> JSONValue {
    JSONValue.members(
      ("value", .string(state.value.rawValue)), ("reason", .string(state.reason)),
      ("reasonData", text(state.data)), ("timestamp", .string(state.updated.lambdaLastModified)))
  }

  private var configuration: JSONValue {
    let settings = alarm.settings
    let metrics = settings.asked.map { AlarmTransition.shown($0) }
    return JSONValue.members(
      ("description", AlarmTransition.text(settings.description)), ("alarmRule", AlarmTransition.text(settings.rule)),
      ("metrics", settings.isComposite ? nil : JSONValue.array(metrics)))
  }

  private static func shown(_ query: MetricQuery) -> JSONValue {
    var stat: JSONValue?
    if let asked = query.stat {
      let dimensions = asked.metric.dimensions.map { JSONValue.Member($0.name, .string($0.value)) }
      let metric = JSONValue.members(
        ("namespace", .string(asked.metric.space)), ("name", .string(asked.metric.name)),
        ("dimensions", .object(dimensions)))
      stat = JSONValue.members(
        ("metric", metric), ("period", number(asked.period)), ("stat", text(asked.statistic)),
        ("unit", text(asked.unit)))
    }
    return JSONValue.members(
      ("id", text(query.id)), ("expression", text(query.expression)), ("label", text(query.label)),
      ("metricStat", stat), ("returnData", .bool(query.isReturned)))
  }
}

/// What is owed to one target, as it lies in the outbox.
struct AlarmNotice: Sendable {
  let alarm: String
  let type: String
  let place: Place
  /// The target's ARN.
  let action: String
  let subject: String
  let text: String
  /// Milliseconds since 1970.
  let time: Int64

  init(alarm: String, type: String, place: Place, action: String, subject: String, text: String, time: Int64) {
    self.alarm = alarm
    self.type = type
    self.place = place
    self.action = action
    self.subject = subject
    self.text = text
    self.time = time
  }

  var json: JSONValue {
    .members(
      ("alarm", .string(alarm)), ("type", .string(type)), ("account", .string(place.account.id)),
      ("region", .string(place.region.name)), ("action", .string(action)), ("subject", .string(subject)),
      ("text", .string(text)), ("time", .integer(time)))
  }

  init?(_ json: JSONValue) {
    guard let alarm = json["alarm"]?.string, let type = json["type"]?.string,
      let account = json["account"]?.string.flatMap({ Account($0) }),
      let region = json["region"]?.string.flatMap({ Region($0) }), let action = json["action"]?.string,
      let subject = json["subject"]?.string, let text = json["text"]?.string, let time = json["time"]?.integer
    else { return nil }
    self.init(
      alarm: alarm, type: type, place: Place(account: account, region: region), action: action, subject: subject,
      text: text, time: Int64(time))
  }
}
