// The rule of a time zone that goes on for ever, such as `CET-1CEST,M3.5.0,M10.5.0/3`: POSIX's TZ, RFC 9636's hours.

/// Standard time, and daylight saving between two days of each year.
struct YearlyRule: Sendable, Equatable {
  /// A day of a year, and seconds after its midnight (which may lie on another day).
  struct Change: Sendable, Equatable {
    enum Day: Sendable, Equatable {
      /// The `week`th `weekday` (0 = Sunday) of `month`; 5 = the last one.
      case weekday(month: Int, week: Int, weekday: Int)
      /// 1...365, where February 29 is never counted.
      case withoutLeapDay(Int)
      /// 0...365
      case withLeapDay(Int)
    }

    let day: Day
    let time: Int64

    /// In seconds since 1970, by the clock that is wrong from then on.
    func local(in year: Int) -> Int64 {
      let newYear = CivilTime.dayNumber(year, 1, 1)
      let days: Int64
      switch day {
      case .weekday(let month, let week, let weekday):
        let first = CivilTime.weekday(year, month, 1) - 1
        var date = 1 + (weekday - first + 7) % 7 + (week - 1) * 7
        if date > CivilTime.days(in: month, of: year) { date -= 7 }
        days = CivilTime.dayNumber(year, month, date)
      case .withoutLeapDay(let n): days = newYear + Int64(n - 1) + (CivilTime.isLeap(year) && n >= 60 ? 1 : 0)
      case .withLeapDay(let n): days = newYear + Int64(n)
      }
      return days * 86400 + time
    }
  }

  struct Daylight: Sendable, Equatable {
    /// Seconds ahead of UTC.
    let offset: Int64
    let begin: Change
    let end: Change
  }

  /// Seconds ahead of UTC.
  let standard: Int64
  let daylight: Daylight?

  func offset(at moment: Int64) -> Int64 {
    guard let daylight else { return standard }
    let year = CivilTime(seconds: moment + standard).year
    let begin = daylight.begin.local(in: year) - standard
    let end = daylight.end.local(in: year) - daylight.offset
    // In the south, summer is at both ends of the year.
    let isSummer = begin < end ? moment >= begin && moment < end : moment >= begin || moment < end
    return isSummer ? daylight.offset : standard
  }
}

extension YearlyRule {
  /// nil for what is not such a rule.
  init?(_ text: String) {
    var parser = Parser(rest: text[...])
    guard parser.name(), let west = parser.time(limit: 24) else { return nil }
    standard = -west
    guard !parser.rest.isEmpty else {
      daylight = nil
      return
    }
    guard parser.name() else { return nil }
    var offset = standard + 3600
    if parser.rest.first != "," {
      guard let west = parser.time(limit: 24) else { return nil }
      offset = -west
    }
    guard let begin = parser.change(), let end = parser.change(), parser.rest.isEmpty else { return nil }
    daylight = Daylight(offset: offset, begin: begin, end: end)
  }

  private struct Parser {
    var rest: Substring

    /// Three letters or more, or anything in angle brackets.
    mutating func name() -> Bool {
      if rest.first == "<" {
        guard let end = rest.firstIndex(of: ">") else { return false }
        rest = rest[rest.index(after: end)...]
        return true
      }
      let letters = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(letters.count)
      return letters.count >= 3
    }

    mutating func take(_ character: Character) -> Bool {
      guard rest.first == character else { return false }
      rest = rest.dropFirst()
      return true
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int? {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      return Int(digits).flatMap { range.contains($0) ? $0 : nil }
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(limit: Int) -> Int64? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard let hours = number(0...limit) else { return nil }
      var seconds = hours * 3600
      for unit in [60, 1] where take(":") {
        guard let part = number(0...59) else { return nil }
        seconds += part * unit
      }
      return Int64(isNegative ? -seconds : seconds)
    }

    /// `,Mm.w.d[/time]`, `,Jn[/time]` or `,n[/time]`.
    mutating func change() -> Change? {
      guard take(",") else { return nil }
      let day: Change.Day
      if take("M") {
        guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6)
        else { return nil }
        day = .weekday(month: month, week: week, weekday: weekday)
      } else if take("J") {
        guard let n = number(1...365) else { return nil }
        day = .withoutLeapDay(n)
      } else {
        guard let n = number(0...365) else { return nil }
        day = .withLeapDay(n)
      }
      guard take("/") else { return Change(day: day, time: 7200) }
      return time(limit: 167).map { Change(day: day, time: $0) }
    }
  }
}
