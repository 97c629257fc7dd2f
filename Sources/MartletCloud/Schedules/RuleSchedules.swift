// Rules of EventBridge with a ScheduleExpression: at its times, their targets get the event of a schedule.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class RuleSchedules: Sendable {
  private struct State {
    var rules: [ResourceKey: EventRule] = [:]
    /// Until when a rule has fired.
    var cursors: [ResourceKey: Timestamp]
  }

  private let database: Database
  private let alarms: Alarms
  private let log: Logger
  private let clock: DueAlarms
  private let state: Mutex<State>

  /// How far back missed occurrences are made up for.
  private static let longestAge = Duration.seconds(86_400)
  private static let pauseAfterFault = Duration.seconds(5)

  /// The database must have been migrated with `Documents`.
  package init(database: Database, alarms: Alarms, log: Logger) throws(Fault) {
    self.database = database
    self.alarms = alarms
    self.log = log
    clock = DueAlarms(alarms: alarms)
    let cursors = try database.read { session throws(Fault) in try RuleCursor.load(session) }
    state = Mutex(State(cursors: Dictionary(cursors.map { ($0.key, $0.fired) }, uniquingKeysWith: { $1 })))
  }

  /// A rule was made, changed or deleted, or read at the start.
  package func heard(_ before: EventRule?, _ after: EventRule?) {
    guard let key = after?.key ?? before?.key else { return }
    state.withLock { $0.rules[key] = after }
    arm(key)
    guard after == nil, before?.schedule != nil else { return }
    state.withLock { $0.cursors[key] = nil }
    database.enqueue(
      { try RuleCursor.store(key, before: nil, after: nil, $0) },
      ended: { [log] result in
        if case .failure(let fault) = result {
          log.error("a rule's place in its schedule stays", metadata: ["rule": "\(key.name)", "fault": "\(fault)"])
        }
      })
  }

  /// When a rule fires next.
  package func next(_ rule: ResourceKey) -> Timestamp? { clock.due(rule) }

  /// Fires rules until `stop` is called.
  package func run(_ bridge: EventBridgeService) async {
    await withDiscardingTaskGroup { group in
      for await key in clock.dues {
        group.addTask {
          await self.fire(key, bridge)
          self.alarms.end()
        }
      }
    }
  }

  package func stop() { clock.stop() }

  // MARK: - One rule

  private func find(_ key: ResourceKey) -> (rule: EventRule, timing: ScheduleTiming, cursor: Timestamp)? {
    let (rule, fired) = state.withLock { ($0.rules[key], $0.cursors[key]) }
    guard let rule, rule.isEnabled, let text = rule.schedule, let expression = ScheduleExpression(ofRule: text) else {
      return nil
    }
    let set = Timestamp(milliseconds: rule.scheduled)
    let timing = ScheduleTiming(
      expression: expression, zone: .utc, anchor: set, start: nil, end: nil, window: 0, seed: 0)
    // A rate begins one interval after the rule was set; what was fired before that is another schedule's.
    return (rule, timing, max(fired ?? set, set))
  }

  private func arm(_ key: ResourceKey) {
    clock.set(key, at: find(key).flatMap { $0.timing.next(after: $0.cursor)?.due })
  }

  private func fire(_ key: ResourceKey, _ bridge: EventBridgeService) async {
    guard let (rule, timing, cursor) = find(key),
      let (occurrence, skipped) = timing.due(after: cursor, now: alarms.world.now(), age: RuleSchedules.longestAge)
    else { return arm(key) }
    let fired = RuleCursor(key: key, fired: occurrence.scheduled)
    do throws(AWSError) {
      try await bridge.fire(rule, at: occurrence.scheduled) { session throws(Fault) in
        try RuleCursor.store(key, before: nil, after: fired, session)
      }
      state.withLock { $0.cursors[key] = fired.fired }
      if skipped > 0 {
        log.notice(
          "a scheduled rule missed its time, and is made up for once",
          metadata: ["rule": "\(rule.arn)", "missed": "\(skipped + 1)"])
      }
      arm(key)
    } catch {
      log.error(
        "a scheduled rule could not fire", metadata: ["rule": "\(rule.arn)", "fault": "\(error.note ?? error.message)"])
      clock.set(key, at: alarms.world.now() + RuleSchedules.pauseAfterFault)
    }
  }
}

/// How far a rule has come in its schedule, beside the rule: it changes at every turn.
struct RuleCursor: Document {
  static let kind = "event-rule-cursor"

  let key: ResourceKey
  let fired: Timestamp

  init(key: ResourceKey, fired: Timestamp) { (self.key, self.fired) = (key, fired) }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let fired = Int64(document) else { throw Fault("read a rule's schedule", "\(key.name) is damaged") }
    self.init(key: key, fired: Timestamp(nanoseconds: fired))
  }

  var document: String { String(fired.nanoseconds) }
}
