// From when to when a metric is asked for, in pieces of which length.
import MartletCore
import MartletWire

struct MetricSpan: Sendable, Equatable {
  /// Seconds since 1970; the end does not belong to it.
  var start: Int64
  var end: Int64
  /// Seconds.
  var period: Int

  init(start: Int64, end: Int64, period: Int) {
    self.start = start
    self.end = end
    self.period = period
  }

  /// Reads `StartTime` and `EndTime`.
  init(_ m: Members, period: Int) {
    let (from, to) = (m.requiredTime("StartTime"), m.requiredTime("EndTime"))
    start = from.seconds
    // A part of a second is a second.
    end = (to.nanoseconds + 999_999_999) / 1_000_000_000
    self.period = max(1, period)
    if from >= to { m.refuse(.cloudWatchStart()) }
  }

  /// Pieces at most.
  var pieces: Int { Int(max(0, end - start)) / period }

  /// The start as CloudWatch rounds it: to the minute, of older values to five minutes or the hour.
  func rounded(now: Int64) -> MetricSpan {
    var span = self
    let age = now - start
    let step: Int64 =
      period < 60
      ? Int64(period)
      : age <= MetricPeriod.minute.retention ? 60 : age <= MetricPeriod.fiveMinutes.retention ? 300 : 3600
    span.start = start - (start % step + step) % step
    return span
  }
}
