// Moments as S3's documents and headers write them: `2026-01-02T03:04:05.678Z`, with other offsets too.
import MartletCore

extension Timestamp {
  /// A date, or a date and a time with an optional fraction; UTC unless an offset says otherwise. nil for others.
  init?(s3Date text: String) {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (48...57).contains($0) }) else { return nil }
      return Int64(String(decoding: bytes[range], as: UTF8.self))
    }
    func isMark(_ position: Int, _ mark: Unicode.Scalar) -> Bool {
      position < bytes.count && bytes[position] == UInt8(ascii: mark)
    }
    guard let year = number(0..<4), isMark(4, "-"), let month = number(5..<7), isMark(7, "-"),
      let day = number(8..<10), let days = Timestamp.days(year, month, day)
    else { return nil }
    if bytes.count == 10 || (bytes.count == 11 && isMark(10, "Z")) {
      self.init(milliseconds: days * 86_400_000)
      return
    }
    guard isMark(10, "T"), let hour = number(11..<13), isMark(13, ":"), let minute = number(14..<16), isMark(16, ":"),
      let second = number(17..<19), hour < 24, minute < 60, second <= 60
    else { return nil }
    var position = 19
    var fraction: Int64 = 0
    if isMark(position, ".") {
      let start = position + 1
      position = start
      while position < bytes.count, (48...57).contains(bytes[position]) { position += 1 }
      guard position > start, position - start <= 9 else { return nil }
      let digits = String(decoding: bytes[start..<min(position, start + 3)], as: UTF8.self)
      fraction = Int64((digits + "00").prefix(3)) ?? 0
    }
    guard let offset = Timestamp.offset(String(decoding: bytes[min(position, bytes.count)...], as: UTF8.self)) else {
      return nil
    }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    self.init(milliseconds: seconds * 1000 + fraction)
  }

  /// Seconds that `Z`, `+01:00` or nothing are ahead of UTC.
  private static func offset(_ text: String) -> Int64? {
    if text.isEmpty || text == "Z" { return 0 }
    let bytes = Array(text.utf8)
    guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = Int64(text.dropFirst().prefix(2)),
      let minutes = Int64(text.suffix(2)), bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
      (0..<24).contains(hours), (0..<60).contains(minutes)
    else { return nil }
    return (bytes[0] == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
  }

  /// Days since 1970 of a date that there is, between the years 1700 and 2260.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
    guard (1700...2260).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[Int(month) - 1] else { return nil }
    // The year begins in March, so that the leap day comes last.
    let shifted = (month + 9) % 12
    let years = month <= 2 ? year - 1 : year
    return 365 * years + years / 4 - years / 100 + years / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
  }
}
