// A value in a query of Logs Insights, and how it compares, counts and is shown.
import Glibc
import MartletCore

enum QueryValue: Hashable, Sendable {
  case null
  case number(Double)
  case text(String)
  /// Milliseconds since 1970.
  case time(Int64)
  case bool(Bool)

  /// As a number, if it is or looks like one.
  var number: Double? {
    switch self {
    case .null: nil
    case .number(let number): number
    case .time(let time): Double(time)
    case .bool(let flag): flag ? 1 : 0
    case .text(let text): QueryValue.number(text)
    }
  }

  /// A number in a text; `inf` and `nan` are none.
  static func number(_ text: String) -> Double? {
    guard let first = text.utf8.first, (48...57).contains(first) || first == 45 || first == 43 || first == 46 else {
      return nil
    }
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  /// As the results show it; nil = the field is left out.
  var shown: String? {
    switch self {
    case .null: nil
    case .number(let number): QueryValue.shown(number)
    case .text(let text): text
    case .time(let time): QueryValue.shown(time: time)
    case .bool(let flag): flag ? "1" : "0"
    }
  }

  /// As a text for functions and comparisons.
  var text: String { shown ?? "" }

  /// Whole numbers without a point, others with up to four places.
  static func shown(_ number: Double) -> String {
    if number == number.rounded(), abs(number) < 1e15 { return String(Int64(number)) }
    if abs(number) < 0.0001 || abs(number) >= 1e15 { return "\(number)" }
    let scaled = (abs(number) * 10_000).rounded()
    let (whole, rest) = (Int64(scaled / 10_000), Int64(scaled.truncatingRemainder(dividingBy: 10_000)))
    var digits = String(rest)
    digits = String(repeating: "0", count: 4 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    let sign = number < 0 ? "-" : ""
    return digits.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(digits)"
  }

  /// `2026-01-02 03:04:05.678`
  static func shown(time: Int64) -> String {
    let text = Timestamp(milliseconds: time).iso8601
    return String(text.dropLast()).replacingCharacter("T", with: " ")
  }

  var isTrue: Bool {
    switch self {
    case .null: false
    case .number(let number): number != 0
    case .text(let text): !text.isEmpty && text != "0" && text != "false"
    case .time: true
    case .bool(let flag): flag
    }
  }

  /// Equal as numbers if both are numbers, else as texts.
  static func areEqual(_ a: QueryValue, _ b: QueryValue) -> Bool {
    if case .text(let x) = a, case .text(let y) = b { return x == y }
    if a == .null || b == .null { return a == b }
    if let x = a.number, let y = b.number { return x == y }
    return a.text == b.text
  }

  /// nil if they have no order.
  static func isLess(_ a: QueryValue, _ b: QueryValue) -> Bool? {
    if a == .null || b == .null { return nil }
    if let x = a.number, let y = b.number { return x < y }
    return a.text < b.text
  }

  /// An order of all values, for sorting: what is absent comes last, numbers before texts.
  static func sortsBefore(_ a: QueryValue, _ b: QueryValue, isDescending: Bool) -> Bool {
    if a == .null || b == .null { return a != .null && b == .null }
    switch (a.number, b.number) {
    case (let x?, let y?): return isDescending ? x > y : x < y
    case (nil, nil): return isDescending ? a.text > b.text : a.text < b.text
    case (nil, _?): return isDescending
    case (_?, nil): return !isDescending
    }
  }
}

extension String {
  fileprivate func replacingCharacter(_ old: Character, with new: Character) -> String {
    String(map { $0 == old ? new : $0 })
  }
}
