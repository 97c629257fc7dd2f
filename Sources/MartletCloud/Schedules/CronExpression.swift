// AWS's cron expressions: six fields, with the characters , - * ? / L W # and the names of months and weekdays.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based

/// Which minutes of a calendar are meant; which zone the calendar hangs in is the caller's business.
package struct CronExpression: Sendable, Equatable {
  /// Bit n = the minute n, and so on.
  private let minutes: UInt64
  private let hours: UInt64
  private let months: UInt64
  private let days: CronDays
  /// Bits from `firstYear` on.
  private let years: CronYears

  /// What stands between the parentheses: minutes, hours, day of month, month, day of week, year. nil if AWS would
  /// refuse it.
  package init?(_ text: some StringProtocol) {
    guard !text.hasPrefix(" "), !text.hasSuffix(" ") else { return nil }
    let fields = text.split(separator: " ").map { $0.uppercased() }
    guard fields.count == 6, let minutes = CronField(0...59).bits(fields[0]),
      let hours = CronField(0...23).bits(fields[1]),
      let months = CronField(1...12, names: CronField.months).bits(fields[3]),
      let days = CronDays(ofMonth: fields[2], ofWeek: fields[4]), let years = CronYears(fields[5])
    else { return nil }
    self.minutes = minutes
    self.hours = hours
    self.months = months
    self.days = days
    self.years = years
  }

  /// The first minute that is meant and not before `start`; nil if the years are over.
  package func next(notBefore start: CivilTime) -> CivilTime? {
    // A started minute is over.
    let rounded = CivilTime(seconds: (start.seconds + 59) / 60 * 60)
    for year in max(rounded.year, CronYears.first)...max(rounded.year, CronYears.last) where years.contains(year) {
      for month in (year == rounded.year ? rounded.month : 1)...12 where months & 1 << month != 0 {
        var dates = days.bits(year, month)
        let isMonth = year == rounded.year && month == rounded.month
        if isMonth { dates &= ~0 << UInt64(rounded.day) }
        while dates != 0 {
          let day = dates.trailingZeroBitCount
          dates &= dates - 1
          let isToday = isMonth && day == rounded.day
          let earliest = isToday ? rounded.hour * 60 + rounded.minute : 0
          if let minute = minute(notBefore: earliest) { return CivilTime(year, month, day, minute / 60, minute % 60) }
        }
      }
    }
    return nil
  }

  /// The first minute of a day, counted from midnight; nil if there is none left.
  private func minute(notBefore earliest: Int) -> Int? {
    for hour in earliest / 60..<24 where hours & 1 << hour != 0 {
      let left = hour == earliest / 60 ? minutes & (~0 << UInt64(earliest % 60)) : minutes
      if left != 0 { return hour * 60 + left.trailingZeroBitCount }
    }
    return nil
  }
}

/// One field of numbers: values, ranges, steps and lists of them.
struct CronField {
  static let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
  static let weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

  private let range: ClosedRange<Int>
  /// Of the values, from the first on.
  private let names: [String]
  private let hasSteps: Bool

  init(_ range: ClosedRange<Int>, names: [String] = [], hasSteps: Bool = true) {
    (self.range, self.names, self.hasSteps) = (range, names, hasSteps)
  }

  /// A bit for each value that is meant; the range must end below 64.
  func bits(_ text: String) -> UInt64? {
    var bits: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let values = values(part) else { return nil }
      for value in values { bits |= 1 << UInt64(value) }
    }
    return bits
  }

  /// `*`, `5`, `MON`, `1-5`, `*/15`, `5/15`, `1-30/5`.
  func values(_ text: Substring) -> [Int]? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || hasSteps else { return nil }
    let step = parts.count == 2 ? CronField.number(parts[1]) : 1
    guard let step, step > 0, step <= range.upperBound + 1 else { return nil }
    if parts[0] == "*" { return stride(from: range.lowerBound, through: range.upperBound, by: step).map { $0 } }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2, let first = value(ends[0]) else { return nil }
    if ends.count == 1 {
      return parts.count == 1 ? [first] : stride(from: first, through: range.upperBound, by: step).map { $0 }
    }
    guard let last = value(ends[1]) else { return nil }
    if first <= last { return stride(from: first, through: last, by: step).map { $0 } }
    // FRI-MON, or 22-2: over the end of the week or of the day.
    guard range.count < 64 else { return nil }
    return stride(from: first, through: last + range.count, by: step).map {
      $0 > range.upperBound ? $0 - range.count : $0
    }
  }

  func value(_ text: Substring) -> Int? {
    if let position = names.firstIndex(of: String(text)) { return range.lowerBound + position }
    return CronField.number(text).flatMap { range.contains($0) ? $0 : nil }
  }

  static func number(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (48...57).contains($0) } && text.utf8.count <= 4 ? Int(text) : nil
  }
}

/// The days of a month that are meant, told by one of two fields; the other one is `?`.
enum CronDays: Sendable, Equatable {
  /// Dates, the last day, the last weekday, and weekdays nearest to dates.
  case ofMonth(dates: UInt64, last: Bool, lastWeekday: Bool, nearest: UInt64)
  /// Weekdays (1 = Sunday), and the last of some weekday in the month.
  case ofWeek(weekdays: UInt64, last: UInt64)
  /// The nth of a weekday.
  case nth(weekday: Int, Int)

  init?(ofMonth month: String, ofWeek week: String) {
    switch (month == "?", week == "?") {
    case (false, true): self.init(ofMonth: month)
    case (true, false): self.init(ofWeek: week)
    // "You can't use * in both": one of them must say that it says nothing.
    default: return nil
    }
  }

  private init?(ofMonth text: String) {
    var (dates, last, lastWeekday, nearest): (UInt64, Bool, Bool, UInt64) = (0, false, false, 0)
    let field = CronField(1...31)
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if part == "L" {
        last = true
      } else if part == "LW" {
        lastWeekday = true
      } else if part.hasSuffix("W") {
        guard let date = field.value(part.dropLast()) else { return nil }
        nearest |= 1 << UInt64(date)
      } else {
        guard let values = field.values(part) else { return nil }
        for value in values { dates |= 1 << UInt64(value) }
      }
    }
    self = .ofMonth(dates: dates, last: last, lastWeekday: lastWeekday, nearest: nearest)
  }

  private init?(ofWeek text: String) {
    let field = CronField(1...7, names: CronField.weekdays, hasSteps: false)
    let nth = text.split(separator: "#", omittingEmptySubsequences: false)
    if nth.count == 2 {
      // "If you use a '#' character, you can define only one expression in the day-of-week field."
      guard let weekday = field.value(nth[0]), let n = CronField.number(nth[1]), (1...5).contains(n) else {
        return nil
      }
      self = .nth(weekday: weekday, n)
      return
    }
    var (weekdays, last): (UInt64, UInt64) = (0, 0)
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if part == "L" {
        weekdays |= 1 << 7  // the last day of the week
      } else if part.hasSuffix("L") {
        guard let weekday = field.value(part.dropLast()) else { return nil }
        last |= 1 << UInt64(weekday)
      } else {
        guard let values = field.values(part) else { return nil }
        for value in values { weekdays |= 1 << UInt64(value) }
      }
    }
    self = .ofWeek(weekdays: weekdays, last: last)
  }

  /// Bit n = the day n of this month.
  func bits(_ year: Int, _ month: Int) -> UInt64 {
    let length = CivilTime.days(in: month, of: year)
    let first = CivilTime.weekday(year, month, 1)
    func weekday(_ day: Int) -> Int { (first - 1 + day - 1) % 7 + 1 }
    var bits: UInt64 = 0
    switch self {
    case .ofMonth(let dates, let last, let lastWeekday, let nearest):
      bits = dates & (2 << UInt64(length) - 1)
      if last { bits |= 1 << UInt64(length) }
      for day in 1...length where nearest & 1 << UInt64(day) != 0 || lastWeekday && day == length {
        bits |= 1 << UInt64(CronDays.nearestWeekday(to: day, weekday(day), length))
      }
    case .ofWeek(let weekdays, let last):
      for day in 1...length {
        let kind: UInt64 = 1 << UInt64(weekday(day))
        if weekdays & kind != 0 || last & kind != 0 && day > length - 7 { bits |= 1 << UInt64(day) }
      }
    case .nth(let wanted, let n):
      let day = 1 + (wanted - first + 7) % 7 + (n - 1) * 7
      if day <= length { bits = 1 << UInt64(day) }
    }
    return bits
  }

  /// Monday to Friday, in the same month.
  private static func nearestWeekday(to day: Int, _ weekday: Int, _ length: Int) -> Int {
    switch weekday {
    case 7: day == 1 ? 3 : day - 1
    case 1: day == length ? day - 2 : day + 1
    default: day
    }
  }
}

/// Years from 1970 to 2199.
struct CronYears: Sendable, Equatable {
  static let first = 1970
  static let last = 2199

  /// nil = every year.
  private let years: Set<Int>?

  init?(_ text: String) {
    guard text != "*" else {
      years = nil
      return
    }
    var years: Set<Int> = []
    let field = CronField(CronYears.first...CronYears.last)
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let values = field.values(part) else { return nil }
      years.formUnion(values)
    }
    self.years = years
  }

  func contains(_ year: Int) -> Bool {
    (CronYears.first...CronYears.last).contains(year) && years?.contains(year) ?? true
  }
}
