// A filter pattern: which log events it matches, and what it takes out of them. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
import MartletCore
import MartletWire

struct FilterPattern: Sendable {
  /// Something that is looked for in a text.
  enum Term: Sendable {
    case text(Needle)
    case regex(LogRegex)

    func occurs(in text: UnsafeRawBufferPointer) -> Bool {
      switch self {
      case .text(let needle): return needle.find(in: text) != nil
      case .regex(let regex): return regex.matches(text)
      }
    }
  }

  enum Kind: Sendable {
    case all
    /// All of the first, none of the second.
    case terms(all: [Term], none: [Term])
    /// One of the first, none of the second.
    case choice(any: [Term], none: [Term])
    case json(JSONCondition)
    case fields(FieldPattern)
  }

  let text: String
  let kind: Kind

  /// - Throws: InvalidParameterException.
  init(_ text: String) throws(AWSError) {
    self.text = text
    do throws(PatternFlaw) {
      var parser = PatternParser(text)
      kind = try parser.pattern()
    } catch {
      throw .logsInvalid("Invalid filter pattern: \(error.message) at position \(error.offset)")
    }
  }

  /// The same as a flaw, for those who word it otherwise.
  init(parsing text: String) throws(PatternFlaw) {
    self.text = text
    var parser = PatternParser(text)
    kind = try parser.pattern()
  }

  /// Bytes that everything that it matches has in it.
  var needle: Needle? {
    guard case .terms(let all, _) = kind else { return nil }
    var longest: Needle?
    for term in all {
      if case .text(let needle) = term, needle.bytes.count > longest?.bytes.count ?? 0 { longest = needle }
    }
    return longest
  }

  func matches(_ event: UnsafeRawBufferPointer) -> Bool {
    switch kind {
    case .all: return true
    case .terms(let all, let none):
      return all.allSatisfy { $0.occurs(in: event) } && !none.contains { $0.occurs(in: event) }
    case .choice(let any, let none):
      return any.contains { $0.occurs(in: event) } && !none.contains { $0.occurs(in: event) }
    case .json(let condition):
      guard let json = LazyJSON(event) else { return false }
      return condition.holds(json)
    case .fields(let pattern): return pattern.match(event) != nil
    }
  }

  func matches(_ event: String) -> Bool {
    var event = event
    return event.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
  }

  /// What it takes out of an event that it matches; nil if it does not match.
  func extract(_ event: String) -> [(key: String, value: String)]? {
    var copy = event
    return copy.withUTF8 { bytes in
      let bytes = UnsafeRawBufferPointer(bytes)
      switch kind {
      case .fields(let pattern): return pattern.match(bytes)
      case .json(let condition):
        guard let json = LazyJSON(bytes), condition.holds(json) else { return nil }
        return condition.selectors.compactMap { selector in
          selector.values(json).first.map { (selector.text, json.text($0)) }
        }
      default: return matches(bytes) ? [] : nil
      }
    }
  }
}

/// Why a text is no filter pattern.
struct PatternFlaw: Error, Equatable {
  let message: String
  /// In bytes of the pattern.
  let offset: Int
}

/// A text with `*` for anything.
struct WildcardText: Equatable, Sendable {
  let parts: [[UInt8]]

  init(_ text: String) {
    parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
  }

  /// Without wildcards.
  init(exactly text: String) { parts = [Array(text.utf8)] }

  func matches(_ text: some Sequence<UInt8>) -> Bool {
    let text = Array(text)
    guard let first = parts.first, let last = parts.last else { return false }
    if parts.count == 1 { return text == first }
    guard text.count >= first.count + last.count, text.starts(with: first), text.suffix(last.count) == last[...] else {
      return false
    }
    var at = first.count
    let end = text.count - last.count
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = WildcardText.find(part, in: text, from: at, to: end) else { return false }
      at = found + part.count
    }
    return at <= end
  }

  private static func find(_ part: [UInt8], in text: [UInt8], from start: Int, to end: Int) -> Int? {
    var at = start
    while at + part.count <= end {
      if text[at..<(at + part.count)] == part[...] { return at }
      at += 1
    }
    return nil
  }
}

/// What a value of an event is compared with.
enum PatternOperand: Sendable {
  case number(Double, text: String)
  case text(WildcardText)
  case regex(LogRegex)

  /// - Parameter number: the value as a number, if it is one.
  func equals(_ text: String, number: Double?) -> Bool {
    switch self {
    case .number(let wanted, let written): return number.map { $0 == wanted } ?? (text == written)
    case .text(let wanted): return wanted.matches(text.utf8)
    case .regex(let regex): return regex.matches(text)
    }
  }
}

enum PatternComparison: String, Sendable {
  case equal = "="
  case unequal = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  func holds(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .equal: a == b
    case .unequal: a != b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }
}
