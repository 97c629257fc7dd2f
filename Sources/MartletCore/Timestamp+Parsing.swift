// Reads dates of ISO 8601, as clients of several protocols send them.

extension Timestamp {
  /// `2026-01-02T03:04:05Z`, with a fraction of the second if there is one, with an offset in the place of `Z`, or with
  /// neither, which is UTC; the time may be missing, too. nil for everything else, and outside of the years 1700 to
  /// 2261.
  package init?(iso8601 text: String) {
    var rest = Array(text.utf8)[...]
    func number(_ digits: Int) -> Int64? {
      guard rest.count >= digits else { return nil }
      var value: Int64 = 0
      for byte in rest.prefix(digits) {
        guard (48...57).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      rest = rest.dropFirst(digits)
      return value
    }
    func skip(_ character: Character) -> Bool {
      guard rest.first == character.asciiValue else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
      (1700...2261).contains(year), (1...12).contains(month), day >= 1, day <= Timestamp.days(month, of: year)
    else { return nil }
    var seconds = Timestamp.days(year, month, day) * 86400
    var nanoseconds: Int64 = 0
    if skip("T") || skip(" ") {
      guard let hour = number(2), skip(":"), let minute = number(2), hour < 24, minute < 60 else { return nil }
      seconds += hour * 3600 + minute * 60
      if skip(":") {
        guard let second = number(2), second <= 60 else { return nil }
        seconds += second
        if skip(".") {
          let digits = rest.prefix { (48...57).contains($0) }
          guard !digits.isEmpty else { return nil }
          rest = rest.dropFirst(digits.count)
          for (i, digit) in digits.prefix(9).enumerated() {
            nanoseconds += Int64(digit - 48) * Timestamp.tenths[i]
          }
        }
      }
      if !skip("Z"), let sign = rest.first, sign == 43 || sign == 45 {
        rest = rest.dropFirst()
        guard let hours = number(2) else { return nil }
        _ = skip(":")
        guard let minutes = rest.isEmpty ? 0 : number(2), hours < 24, minutes < 60 else { return nil }
        seconds -= (hours * 3600 + minutes * 60) * (sign == 43 ? 1 : -1)
      }
    }
    guard rest.isEmpty else { return nil }
    self.init(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
  }

  private static let tenths: [Int64] = [
    100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1,
  ]

  private static func days(_ month: Int64, of year: Int64) -> Int64 {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
  }

  /// Days since 1970. The year begins in March, so that the leap day comes last.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let (years, shifted) = (month <= 2 ? year - 1 : year, (month + 9) % 12)
    return 365 * years + years / 4 - years / 100 + years / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
  }
}
