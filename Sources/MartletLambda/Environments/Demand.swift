// How much of something to make ahead: as much as was wanted at one time lately (docs/fast-start.md).
import MartletCore

/// Counts what is wanted in windows that follow each other. Moments are nanoseconds of a clock that never goes back.
package struct Demand: Sendable {
  /// Who comes at one time comes within this.
  package static let window = Duration.seconds(10)
  /// The most is remembered to the end of the period after its own, half of it for one more, and so on: what calls
  /// once a minute or every five minutes finds as much as it needed before.
  package static let period = Duration.seconds(5 * 60)

  /// When the window and the period have begun that are not over.
  private var windowSince: UInt64
  private var periodSince: UInt64
  private var current = 0
  /// The most in a window that has ended in this period, and what is remembered of those before.
  private var most = 0
  private var remembered = 0

  package init(at now: UInt64) { (windowSince, periodSince) = (now, now) }

  /// One more is wanted.
  package mutating func rise(at now: UInt64) {
    pass(to: now)
    current += 1
  }

  /// How many will be wanted at one time, as far as can be told.
  package mutating func level(at now: UInt64) -> Int {
    pass(to: now)
    return max(current, most, remembered)
  }

  /// Closes windows and periods that are over.
  private mutating func pass(to now: UInt64) {
    if Demand.over(&windowSince, Demand.window, at: now) > 0 {
      most = max(most, current)
      current = 0
    }
    let periods = Demand.over(&periodSince, Demand.period, at: now)
    if periods > 0 {
      remembered = max(remembered >> 1, most) >> min(63, periods - 1)
      most = 0
    }
  }

  /// How many are over; `since` becomes the beginning of the one that is not.
  private static func over(_ since: inout UInt64, _ length: Duration, at now: UInt64) -> Int {
    let count = Int64(bitPattern: now &- since) / length.inNanoseconds
    guard count > 0 else { return 0 }
    since = since &+ UInt64(count * length.inNanoseconds)
    return Int(count)
  }
}
