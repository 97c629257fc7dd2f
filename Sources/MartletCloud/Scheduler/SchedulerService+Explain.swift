// Why a schedule did not invoke its target: docs/explain.md.
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension SchedulerService {
  /// - Parameter text: `name`, `group/name` or an ARN.
  /// - Returns: nil if there is no such schedule, and nothing is known of one that was.
  package func explain(schedule text: String, in place: Place) -> Explanation? {
    let path = text.split(separator: "/", omittingEmptySubsequences: false).suffix(2).map(String.init)
    let group = path.count == 2 ? path[0] : Schedule.defaultGroup
    let name = path.last ?? ""
    let key = Schedule.key(place, group: group, name: name)
    let note = notes.withLock { $0[key] }
    var found = Explanation("the schedule \(group)/\(name)")
    if let schedule = schedules.find(key) {
      explain(schedule, &found)
    } else {
      guard let note else { return nil }
      found.stops(
        note.firing.isFarewell
          ? "It is over, and was deleted as its ActionAfterCompletion says." : "It was deleted.")
    }
    if let note { explain(note, &found) }
    return found
  }

  private func explain(_ schedule: Schedule, _ found: inout Explanation) {
    let settings = schedule.settings
    found.says("\(settings.expressionText) in \(settings.zone), for \(settings.target.arn).")
    if !settings.isEnabled {
      found.stops("It is switched off (State=DISABLED).")
    } else if let due = clock.due(schedule.key) {
      found.holds(
        "It is enabled, and due next at \(due.iso8601Seconds); the server's clock says \(world.now().iso8601Seconds).")
    } else if zones.find(settings.zone) == nil {
      found.stops("This host does not know its time zone: install tzdata.")
    } else {
      found.stops("Its expression has no time left at which it could happen.")
    }
    if let start = settings.start, start > world.now() { found.says("It begins at \(start.iso8601Seconds).") }
    if let end = settings.end { found.says("It ends at \(end.iso8601Seconds).") }
    if let window = settings.window { found.says("It happens at some time within \(window) minutes.") }
    if settings.target.deadLetters == nil {
      found.says("It has no dead-letter queue: what cannot be delivered is lost.")
    }
    let waiting = outbox.count(of: settings.target.arn)
    if waiting > 0 { found.says("\(waiting) invocations of the target wait or are under way.") }
    if case .function? = try? settings.target.kind() {
      found.calls.append(.init(function: settings.target.arn, principal: nil, source: schedule.arn))
    }
  }

  private func explain(_ note: SchedulerNote, _ found: inout Explanation) {
    let what = "What was scheduled for \(note.firing.scheduled.iso8601Seconds)"
    switch note.outcome {
    case .delivered(let id): found.holds("\(what) was delivered at \(note.at.iso8601) under the request id \(id).")
    case .retrying(let error, let due):
      found.stops(
        "\(what) failed \(note.attempts) times (\(error.code): \(error.message)); next attempt at \(due.iso8601Seconds)."
      )
    case .buried(let error, let condition):
      found.stops(
        "\(what) is in the dead-letter queue after \(note.attempts) attempts\(condition.map { " (\($0.rawValue))" } ?? ""): "
          + "\(error.code): \(error.message)")
    case .dropped(let error, _):
      found.stops("\(what) was lost after \(note.attempts) attempts: \(error.code): \(error.message)")
    }
  }
}
