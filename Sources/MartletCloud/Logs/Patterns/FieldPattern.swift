// Patterns for events that are words between spaces: `[ip, user, ..., status = 4*, bytes > 1000]`.
import MartletCore

struct FieldPattern: Sendable {
  indirect enum Condition: Sendable {
    case test(field: Int, PatternComparison, PatternOperand)
    case all([Condition])
    case any([Condition])
  }

  /// Names of the fields; nil = one without a name.
  let before: [String?]
  /// Those behind an ellipsis; nil without one.
  let behind: [String?]?
  /// Numbers of fields count those before the ellipsis, then those behind it.
  let condition: Condition

  /// The words of an event: what stands between spaces, quotation marks, or brackets.
  static func words(_ event: UnsafeRawBufferPointer) -> [String] {
    var words: [String] = []
    var at = 0
    while at < event.count {
      let byte = event[at]
      if byte == 0x20 || byte == 9 || byte == 10 || byte == 13 {
        at += 1
        continue
      }
      let closing: UInt8? = byte == UInt8(ascii: "\"") ? byte : byte == UInt8(ascii: "[") ? UInt8(ascii: "]") : nil
      if let closing, let end = event[(at + 1)...].firstIndex(of: closing) {
        words.append(String(decoding: event[(at + 1)..<end], as: UTF8.self))
        at = end + 1
        continue
      }
      let end = event[at...].firstIndex { $0 == 0x20 || $0 == 9 || $0 == 10 || $0 == 13 } ?? event.count
      words.append(String(decoding: event[at..<end], as: UTF8.self))
      at = end
    }
    return words
  }

  /// What each field is in an event: `$name` or `$1`; nil if the pattern does not match.
  func match(_ event: UnsafeRawBufferPointer) -> [(key: String, value: String)]? {
    let words = FieldPattern.words(event)
    let behind = behind ?? []
    guard self.behind == nil ? words.count == before.count : words.count >= before.count + behind.count else {
      return nil
    }
    let fields = words.prefix(before.count) + words.suffix(behind.count)
    guard holds(condition, Array(fields)) else { return nil }
    let names = before + behind
    return zip(names, fields).enumerated().map { number, pair in
      let place = number < before.count ? number : words.count - behind.count + number - before.count
      return ("$" + (pair.0 ?? String(place + 1)), pair.1)
    }
  }

  private func holds(_ condition: Condition, _ fields: [String]) -> Bool {
    switch condition {
    case .all(let conditions): return conditions.allSatisfy { holds($0, fields) }
    case .any(let conditions): return conditions.contains { holds($0, fields) }
    case .test(let field, let comparison, let operand):
      let text = fields[field]
      switch comparison {
      case .equal: return operand.equals(text, number: Double(text))
      case .unequal: return !operand.equals(text, number: Double(text))
      default:
        guard case .number(let wanted, _) = operand, let number = Double(text) else { return false }
        return comparison.holds(number, wanted)
      }
    }
  }
}
