// When something shall happen: `rate(5 minutes)`, `cron(0 10 ? * MON-FRI *)`, `at(2026-12-24T18:00:00)`.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
import MartletCore

/// A schedule's expression. Pure; `occurrence` says when.
package enum ScheduleExpression: Sendable, Equatable {
  /// Every so many seconds.
  case rate(seconds: Int64)
  case cron(CronExpression)
  /// Once.
  case at(CivilTime)

  /// What a rule of EventBridge may say: a rate or a cron expression, the rate's unit in the right number. nil for
  /// everything else, which EventBridge refuses with `Parameter ScheduleExpression is not valid.`
  package init?(ofRule text: String) {
    guard let expression = ScheduleExpression(text, strict: true) else { return nil }
    if case .at = expression { return nil }
    self = expression
  }

  /// What a schedule of EventBridge Scheduler may say; it takes `rate(1 hours)` too.
  package init?(ofSchedule text: String) { self.init(text, strict: false) }

  private init?(_ text: String, strict: Bool) {
    guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return nil }
    let inner = text[text.index(after: open)...].dropLast()
    switch text[..<open] {
    case "rate":
      guard let seconds = ScheduleExpression.seconds(inner, strict: strict) else { return nil }
      self = .rate(seconds: seconds)
    case "cron":
      guard let cron = CronExpression(inner) else { return nil }
      self = .cron(cron)
    case "at":
      guard let time = CivilTime(inner) else { return nil }
      self = .at(time)
    default: return nil
    }
  }

  /// `5 minutes`
  private static func seconds(_ text: Substring, strict: Bool) -> Int64? {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 2, words[0].utf8.count <= 9, words[0].utf8.allSatisfy({ (48...57).contains($0) }),
      let count = Int64(words[0]), count > 0
    else { return nil }
    let isPlural = words[1].hasSuffix("s")
    guard !strict || isPlural == (count != 1) else { return nil }
    switch isPlural ? words[1].dropLast() : words[1] {
    case "minute": return count * 60
    case "hour": return count * 3600
    case "day": return count * 86400
    default: return nil
    }
  }

  /// True of what happens once at most.
  package var isOnce: Bool { if case .at = self { true } else { false } }

  /// The first moment after `moment` at which it is time; nil if there is none any more. Where clocks are put forward
  /// over the time that a cron expression names, it is left out; where they are put back, it happens once.
  /// - Parameters:
  ///   - zone: in which the times of day are meant.
  ///   - anchor: what a rate is counted from: the first occurrence.
  package func occurrence(after moment: Timestamp, in zone: TimeZoneRules, anchor: Timestamp) -> Timestamp? {
    switch self {
    case .rate(let seconds):
      guard moment >= anchor else { return anchor }
      let interval = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      guard !interval.overflow else { return nil }
      let (passed, tooLong) = moment.nanoseconds.subtractingReportingOverflow(anchor.nanoseconds)
      guard !tooLong else { return nil }
      let sum = (passed / interval.partialValue + 1).multipliedReportingOverflow(by: interval.partialValue)
      let next = sum.partialValue.addingReportingOverflow(anchor.nanoseconds)
      return sum.overflow || next.overflow ? nil : Timestamp(nanoseconds: next.partialValue)
    case .at(let civil):
      let due = ScheduleExpression.timestamp(zone.momentOrNext(of: civil))
      return due.flatMap { $0 > moment ? $0 : nil }
    case .cron(let cron):
      let now = moment.nanoseconds.floored(by: 1_000_000_000)
      // What is now is not after now.
      var start = zone.civil(at: now)
      while let civil = cron.next(notBefore: start) {
        if let due = zone.moment(of: civil), due > now { return ScheduleExpression.timestamp(due) }
        start = CivilTime(seconds: civil.seconds + 1)
      }
      return nil
    }
  }

  /// nil beyond the year 2262, where 64 bits of nanoseconds end.
  private static func timestamp(_ seconds: Int64) -> Timestamp? {
    let (nanoseconds, isTooFar) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return isTooFar ? nil : Timestamp(nanoseconds: nanoseconds)
  }
}

extension Int64 {
  /// The quotient, rounded towards minus infinity.
  fileprivate func floored(by divisor: Int64) -> Int64 { self / divisor - (self % divisor < 0 ? 1 : 0) }
}
