// When a schedule is due: its expression within its dates, in its time zone, somewhere in its flexible window. Pure.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
import MartletCore

struct ScheduleTiming: Sendable {
  /// One time at which the target is to be invoked.
  struct Occurrence: Sendable, Equatable {
    /// As the expression says.
    let scheduled: Timestamp
    /// When it shall happen: in a flexible window, that is later.
    let due: Timestamp
  }

  let expression: ScheduleExpression
  let zone: TimeZoneRules
  /// What a rate is counted from.
  let anchor: Timestamp
  let start: Timestamp?
  let end: Timestamp?
  /// Minutes; 0 = on time.
  let window: Int
  /// Places occurrences in their windows, the same ones after a restart.
  let seed: UInt64

  /// The first occurrence that is scheduled after `cursor`; nil if there is none any more.
  func next(after cursor: Timestamp) -> Occurrence? {
    // "EventBridge Scheduler ignores StartDate and EndDate for one-time schedules."
    if expression.isOnce { return expression.occurrence(after: cursor, in: zone, anchor: anchor).map(placed) }
    var cursor = cursor
    if let start, start > cursor { cursor = Timestamp(nanoseconds: start.nanoseconds - 1) }
    guard let moment = expression.occurrence(after: cursor, in: zone, anchor: anchor) else { return nil }
    if let end, moment > end { return nil }
    return placed(moment)
  }

  /// What is to happen now. Of several that were missed, because the server did not run, it is the last one.
  /// - Parameters:
  ///   - cursor: what was scheduled until then has happened.
  ///   - age: what is older need not be looked at.
  /// - Returns: the occurrence, and how many before it are left out (of those that are not older than `age`).
  func due(after cursor: Timestamp, now: Timestamp, age: Duration) -> (occurrence: Occurrence, skipped: Int)? {
    guard var found = next(after: cursor), found.due <= now else { return nil }
    guard !expression.isOnce else { return (found, 0) }
    let horizon = now + (.zero - age - .seconds(window * 60))
    if found.scheduled < horizon, let recent = next(after: horizon), recent.due <= now { found = recent }
    var skipped = 0
    while let following = next(after: found.scheduled), following.due <= now {
      found = following
      skipped += 1
    }
    return (found, skipped)
  }

  private func placed(_ moment: Timestamp) -> Occurrence {
    guard window > 0 else { return Occurrence(scheduled: moment, due: moment) }
    var bits = seed ^ UInt64(bitPattern: moment.nanoseconds)
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    let delay = Int64((bits ^ bits >> 31) % UInt64(window * 60))
    return Occurrence(scheduled: moment, due: moment + .seconds(delay))
  }
}
