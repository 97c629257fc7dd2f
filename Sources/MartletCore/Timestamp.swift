// A moment, and the several ways in which AWS writes one.

/// Nanoseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  package init(milliseconds: Int64) { nanoseconds = milliseconds * 1_000_000 }

  package var milliseconds: Int64 { nanoseconds / 1_000_000 }
  package var seconds: Int64 { nanoseconds / 1_000_000_000 }

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
  package static func + (a: Timestamp, b: Duration) -> Timestamp {
    let (seconds, attoseconds) = b.components
    return Timestamp(nanoseconds: a.nanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  package static func - (a: Timestamp, b: Timestamp) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }

  /// `2026-01-02T03:04:05.678Z`
  package var iso8601: String { calendar + "." + Timestamp.padded(milliseconds % 1000, 3) + "Z" }

  /// `2026-01-02T03:04:05Z`
  package var iso8601Seconds: String { calendar + "Z" }

  /// `2026-01-02T03:04:05.678+0000`, the form of a function's `LastModified`.
  package var lambdaLastModified: String { calendar + "." + Timestamp.padded(milliseconds % 1000, 3) + "+0000" }

  /// `2026-01-02T03:04:05+0000`, the form of the `LastModified` of provisioned concurrency.
  package var lambdaSeconds: String { calendar + "+0000" }

  /// `20260102T030405Z`, the form of signatures.
  package var compact: String { String(calendar.filter { $0 != "-" && $0 != ":" }) + "Z" }

  /// `2026/01/02`, the beginning of a log stream's name.
  package var logDate: String {
    let (year, month, day) = date
    return "\(year)/\(Timestamp.padded(month, 2))/\(Timestamp.padded(day, 2))"
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, the form of HTTP's `Date`.
  package var httpDate: String {
    let (year, month, day) = date
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let weekday = names[Int((days % 7 + 7) % 7)]
    return "\(weekday), \(Timestamp.padded(day, 2)) \(Timestamp.months[Int(month) - 1]) \(year) \(time) GMT"
  }

  /// Reads what `httpDate` writes, from the year 1700 on; nil for everything else. Dates after 2260 are as good as that.
  package init?(httpDate text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]),
      let month = Timestamp.months.firstIndex(of: String(parts[2])), (1...31).contains(day),
      (1700...9999).contains(year)
    else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
    guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2]) else {
      return nil
    }
    // The year begins in March, so that the leap day comes last.
    let shifted = (Int64(month) + 10) % 12
    let years = month < 2 ? year - 1 : year
    let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
    // Nanoseconds end in the year 2262.
    let end: Int64 = 106_000
    self.init(milliseconds: (min(days, end) * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]) * 1000)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private var calendar: String {
    let (year, month, day) = date
    return "\(Timestamp.padded(year, 4))-\(Timestamp.padded(month, 2))-\(Timestamp.padded(day, 2))T\(time)"
  }

  private var days: Int64 { (seconds - (seconds % 86400 + 86400) % 86400) / 86400 }

  private var time: String {
    let s = (seconds % 86400 + 86400) % 86400
    return "\(Timestamp.padded(s / 3600, 2)):\(Timestamp.padded(s / 60 % 60, 2)):\(Timestamp.padded(s % 60, 2))"
  }

  /// The civil date of a day count, by shifting the year to begin in March so that the leap day comes last.
  private var date: (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
  }
}
