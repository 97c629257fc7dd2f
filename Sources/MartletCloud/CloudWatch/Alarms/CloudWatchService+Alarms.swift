// Alarms at work: what their metrics make of them, what follows, and who is told.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

extension CloudWatchService {
  // MARK: - Looking

  /// Finds the state of an alarm anew.
  func look(at key: ResourceKey) async {
    guard let alarm = metricAlarms.find(key) else { return }
    do throws(AWSError) {
      if let rule = alarm.settings.rule.flatMap({ AlarmRule($0) }) {
        try await look(at: alarm, rule)
      } else if let evaluation = alarm.settings.evaluation {
        try await look(at: alarm, evaluation)
      }
    } catch {
      log.error(
        "an alarm could not be evaluated",
        metadata: ["alarm": "\(key.name)", "error": "\(error.note ?? error.message)"])
    }
  }

  private func look(at alarm: MetricAlarm, _ evaluation: AlarmEvaluation) async throws(AWSError) {
    if let ask = beforeLooking.withLock({ $0 }) { await ask() }
    await metrics.written()
    let isFresh = watch.takeFresh(alarm.key)
    let settings = alarm.settings
    let period = Int64(settings.step)
    let step = min(60, period)
    let now = world.now()
    let end = now.seconds / step * step
    let start = end - period * Int64(evaluation.range)
    let span = MetricSpan(start: start, end: end, period: Int(period))
    let found = try await results(of: settings.asked, span, alarm.key.place).last?.values ?? []
    let byStart = Dictionary(found.map { ($0.start, $0.value) }, uniquingKeysWith: { $1 })
    let values = (0..<evaluation.range).map { byStart[start + Int64($0) * period] }
    // Nothing changes by itself any more once nothing is known.
    if isFresh || values.contains(where: { $0 != nil }) { watch.schedule(alarm.key) }
    guard let value = evaluation.state(values), value != alarm.state.value else { return }
    let points = Array(found.suffix(evaluation.periods).reversed())
    let reason = evaluation.reason(value, points, found: points.count)
    let data = CloudWatchService.reasonData(settings, evaluation, points, now)
    try await enter(alarm.key, value, reason, data)
  }

  private func look(at alarm: MetricAlarm, _ rule: AlarmRule) async throws(AWSError) {
    let place = alarm.key.place
    let isTrue = rule.isTrue { self.metricAlarms.find(ResourceKey(place: place, name: $0))?.state.value }
    let value = isTrue ? AlarmValue.alarm : .ok
    guard value != alarm.state.value else { return }
    let reason = "\(alarm.arn) transitioned to \(value.rawValue) at \(world.now().httpDate)"
    try await enter(alarm.key, value, reason, nil)
  }

  private static func reasonData(
    _ settings: AlarmSettings, _ evaluation: AlarmEvaluation, _ points: [(start: Int64, value: Double)],
    _ now: Timestamp
  ) -> String {
    var members: [JSONValue.Member] = [
      .init("version", .string("1.0")), .init("queryDate", .string(now.lambdaLastModified)),
    ]
    if let first = points.last {
      members.append(.init("startDate", .string(Timestamp(milliseconds: first.start * 1000).lambdaLastModified)))
    }
    if let statistic = settings.statistic { members.append(.init("statistic", .string(statistic))) }
    if let statistic = settings.extendedStatistic { members.append(.init("extendedStatistic", .string(statistic))) }
    members.append(.init("period", .integer(Int64(settings.step))))
    members.append(.init("recentDatapoints", .array(points.reversed().map { JSONValue.double($0.value) })))
    members.append(.init("threshold", .double(evaluation.threshold)))
    return JSONValue.object(members).text
  }

  // MARK: - Changing

  /// An alarm comes into a state: that is written down together with what is owed for it.
  func enter(_ key: ResourceKey, _ value: AlarmValue, _ reason: String, _ data: String?) async throws(AWSError) {
    let now = world.now()
    let parcels = Mutex<[Parcel]>([])
    let isChanged = Mutex(false)
    try await metricAlarms.change(
      key,
      { (record: inout MetricAlarm?) throws(AWSError) -> AlarmTransition? in
        guard var alarm = record else { throw .cloudWatchNotFound("Unknown alarm \(key.name)") }
        let before = alarm.state
        alarm.state = MetricAlarm.State(
          value: value, reason: reason, data: data, updated: now, since: before.value == value ? before.since : now)
        record = alarm
        return before.value == value ? nil : AlarmTransition(alarm: alarm, before: before)
      },
      with: { transition, session throws(Fault) in
        guard let transition else { return }
        try AlarmHistory.insert([transition.item], key.place, session)
        let written = try self.outbox.write(transition.drafts, session)
        parcels.withLock { $0 = written }
        isChanged.withLock { $0 = true }
      })
    outbox.begin(parcels.withLock { $0 })
    guard isChanged.withLock({ $0 }) else { return }
    // Others look at this one.
    for other in metricAlarms.list(key.place)
    where other.settings.rule.flatMap({ AlarmRule($0) })?.names.contains(key.name) == true {
      watch.look(at: other.key)
    }
  }

  // MARK: - Telling

  /// Attempts at an action before it is given up.
  private static let attempts = 5

  func deliver(_ parcel: Parcel) async -> Parcel.Fate {
    guard let json = try? JSONValue(parsing: String(decoding: parcel.body, as: UTF8.self)),
      let notice = AlarmNotice(json), let arn = ARN(notice.action),
      let account = Account(arn.account), let region = Region(arn.region)
    else {
      log.error("an alarm's action cannot be read", metadata: ["action": "\(parcel.target)"])
      return .over
    }
    let call = Call(
      requestID: RequestID(from: world), place: Place(account: account, region: region),
      caller: .service("cloudwatch.amazonaws.com"), host: "localhost", traceHeader: nil)
    do throws(AWSError) {
      switch arn.service {
      case "sns":
        var outgoing = SNS.Outgoing(message: notice.text)
        outgoing.subject = notice.subject
        _ = try await door.call(SNS.Publish.self, .init(topic: notice.action, outgoing), call)
      case "lambda":
        _ = try await door.call(
          Lambda.InvokeEvent.self, .init(function: notice.action, payload: ByteBuffer(string: notice.text)), call)
      default: throw .notImplemented("actions of the service \(arn.service)")
      }
      await write(notice, "Successfully executed action \(notice.action)", error: nil)
      return .over
    } catch {
      let isLasting = error.status == 501 || error.status < 500 && error.status != 429
      if !isLasting, parcel.attempts < CloudWatchService.attempts { return .again(after: .seconds(60)) }
      log.notice(
        "an alarm's action failed",
        metadata: ["alarm": "\(notice.alarm)", "action": "\(notice.action)", "error": "\(error.message)"])
      await write(notice, "Failed to execute action \(notice.action)", error: error.message)
      return .over
    }
  }

  private func write(_ notice: AlarmNotice, _ summary: String, error: String?) async {
    let item = AlarmHistoryItem(
      alarm: notice.alarm, alarmType: notice.type, time: world.now(), type: "Action", summary: summary,
      data: JSONValue.members(
        ("actionState", .string(error == nil ? "Succeeded" : "Failed")),
        ("stateUpdateTimestamp", .integer(notice.time)),
        ("notificationResource", .string(notice.action)), ("error", error.map { .string($0) })
      ).text)
    let place = notice.place
    try? await database.write { try AlarmHistory.insert([item], place, $0) }
  }
}
