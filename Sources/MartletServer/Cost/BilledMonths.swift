// A span of time as AWS bills it: what is free, and the tiers, are those of calendar months in UTC.
import MartletCore

package struct BilledMonths: Sendable, Equatable {
  /// Seconds since 1970; the end does not belong to it.
  package struct Span: Sendable, Equatable {
    package let start: Int64
    package let end: Int64

    package init(start: Int64, end: Int64) {
      self.start = start
      self.end = end
    }
  }

  package struct Month: Sendable, Equatable {
    /// The part of the month that comes before; empty if the whole of it is meant.
    package let before: Span
    package let asked: Span
  }

  /// In order.
  package let months: [Month]

  /// - Parameters:
  ///   - start: is rounded down to where values of its age are kept: the minute, five minutes or the hour.
  ///   - end: seconds since 1970, like `start`.
  package init(from start: Int64, to end: Int64) {
    let day: Int64 = 86400
    let age = end - start
    let step: Int64 = age < 14 * day ? 60 : age < 62 * day ? 300 : 3600
    var from = start - start % step
    var months: [Month] = []
    while from < end {
      let month = BilledMonths.month(of: from)
      let until = min(end, month.end)
      months.append(
        Month(before: Span(start: month.start, end: from), asked: Span(start: from, end: until)))
      from = month.end
    }
    self.months = months
  }

  /// The calendar month that a second lies in.
  package static func month(of second: Int64) -> Span {
    let parts = Timestamp(milliseconds: second * 1000).logDate.split(separator: "/").compactMap { Int64($0) }
    func first(_ year: Int64, _ month: Int64) -> Int64 {
      Timestamp(iso8601: "\(year)-\(month < 10 ? "0" : "")\(month)-01")?.seconds ?? second
    }
    let (year, month) = (parts[0], parts[1])
    return Span(start: first(year, month), end: month == 12 ? first(year + 1, 1) : first(year, month + 1))
  }
}
