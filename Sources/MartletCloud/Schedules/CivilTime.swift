// What a clock on the wall and a calendar show, in whatever time zone they hang: the Gregorian calendar, no zone.

/// A date and a time of day, to the second. Its members are always within their ranges.
package struct CivilTime: Hashable, Comparable, Sendable {
  package let year: Int
  /// 1...12
  package let month: Int
  /// 1...31
  package let day: Int
  package let hour: Int
  package let minute: Int
  package let second: Int

  /// nil for a date that the calendar does not have.
  package init?(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...CivilTime.days(in: month, of: year)).contains(day), (0..<24).contains(hour), (0..<60).contains(minute),
      (0..<60).contains(second)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }

  /// - Parameter seconds: since 1970-01-01T00:00:00 of the same clock.
  package init(seconds: Int64) {
    let days = seconds.floored(by: 86400)
    let rest = Int(seconds - days * 86400)
    // The year begins in March, so that the leap day comes last; an era is 400 years.
    let shifted = days + 719_468
    let era = shifted.floored(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
  }

  /// `2026-01-02T03:04:05`; nil for everything else.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count == 19 else { return nil }
    for (position, separator) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")] as [(Int, Unicode.Scalar)] {
      guard bytes[position] == UInt8(ascii: separator) else { return nil }
    }
    func number(_ range: Range<Int>) -> Int? {
      bytes[range].allSatisfy { (48...57).contains($0) } ? Int(String(decoding: bytes[range], as: UTF8.self)) : nil
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19)
    else { return nil }
    self.init(year, month, day, hour, minute, second)
  }

  /// Since 1970-01-01T00:00:00 of the same clock.
  package var seconds: Int64 {
    CivilTime.dayNumber(year, month, day) * 86400 + Int64(hour * 3600 + minute * 60 + second)
  }

  package static func < (a: CivilTime, b: CivilTime) -> Bool { a.seconds < b.seconds }

  // MARK: - The calendar

  package static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  package static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// 1 = Sunday … 7 = Saturday, as cron expressions count.
  package static func weekday(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let days = dayNumber(year, month, day) + 4  // 1970-01-01 was a Thursday
    return Int(days - days.floored(by: 7) * 7) + 1
  }

  /// Days since 1970-01-01.
  package static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let years = Int64(month <= 2 ? year - 1 : year)
    let shiftedMonth = Int64((month + 9) % 12)
    return 365 * years + years.floored(by: 4) - years.floored(by: 100) + years.floored(by: 400)
      + (153 * shiftedMonth + 2) / 5 + Int64(day) - 1 - 719_468
  }
}

extension Int64 {
  /// The quotient, rounded towards minus infinity.
  fileprivate func floored(by divisor: Int64) -> Int64 { self / divisor - (self % divisor < 0 ? 1 : 0) }
}
