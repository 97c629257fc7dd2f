// So many a second on average, so many at once. A value: the time comes from outside.
import MartletCore

/// What a bucket holds, and how fast it is filled.
package struct RateLimit: Sendable, Equatable {
  /// How many at once.
  package let burst: Int
  /// In which one comes back.
  let nanosecondsForOne: UInt64

  /// - Parameters:
  ///   - count: how many at once, and again in each `period`; 0 = none.
  package init(_ count: Int, per period: Duration) {
    burst = max(0, count)
    // Rounded up, so that it is never exceeded.
    nanosecondsForOne = (period.nanoseconds + UInt64(max(1, burst)) - 1) / UInt64(max(1, burst))
  }
}

/// Kept as the moment at which it will be full again, so that nothing has to be filled as time passes, and a limit that
/// changes holds from the next one on.
package struct TokenBucket: Sendable, Equatable {
  /// On a clock that never jumps, in nanoseconds.
  private var fullAt: UInt64 = 0

  package init() {}

  /// Takes one out. False if it is empty: then nothing changes.
  package mutating func take(_ limit: RateLimit, now: UInt64) -> Bool {
    let depth = UInt64(limit.burst) * limit.nanosecondsForOne
    // What is missing is never more than all: the limit may have been larger.
    let missing = isFull(now) ? 0 : min(fullAt - now, depth)
    guard missing + limit.nanosecondsForOne <= depth else { return false }
    fullAt = now + missing + limit.nanosecondsForOne
    return true
  }

  /// Puts one back that was not used.
  package mutating func giveBack(_ limit: RateLimit) {
    fullAt -= min(fullAt, limit.nanosecondsForOne)
  }

  package func isFull(_ now: UInt64) -> Bool { fullAt <= now }
}
