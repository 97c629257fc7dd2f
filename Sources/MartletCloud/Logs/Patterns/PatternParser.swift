// Reads filter patterns. Every text gives a pattern or a flaw; none takes more than its length.
import MartletCore

struct PatternParser {
  private let text: [UInt8]
  private var position = 0
  private var depth = 0

  private static let deepest = 50

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func pattern() throws(PatternFlaw) -> FilterPattern.Kind {
    skipSpace()
    guard let byte = next else { return .all }
    let kind: FilterPattern.Kind
    switch byte {
    case UInt8(ascii: "{"):
      position += 1
      kind = .json(try jsonAlternatives())
      try expect("}")
    case UInt8(ascii: "["):
      position += 1
      kind = .fields(try fields())
    default: return try terms()
    }
    skipSpace()
    guard next == nil else { throw flaw("unexpected text behind the end") }
    return kind
  }

  // MARK: - Words

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private func flaw(_ message: String) -> PatternFlaw {
    PatternFlaw(message: message, offset: min(position, text.count))
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (9...13).contains(byte) { position += 1 }
  }

  /// Takes `word` if it comes next, behind spaces.
  private mutating func take(_ word: String) -> Bool {
    skipSpace()
    guard text[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  /// The same for a word of letters, in any case, that ends there.
  private mutating func take(keyword word: String) -> Bool {
    skipSpace()
    let end = position + word.utf8.count
    guard end <= text.count, String(decoding: text[position..<end], as: UTF8.self).uppercased() == word,
      end == text.count || !CharacterSet256.words.contains(UInt32(text[end]))
    else { return false }
    position = end
    return true
  }

  private mutating func expect(_ word: String) throws(PatternFlaw) {
    guard take(word) else { throw flaw("'\(word)' is missing") }
  }

  private mutating func nested<T>(
    _ body: (inout PatternParser) throws(PatternFlaw) -> T
  ) throws(PatternFlaw) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= PatternParser.deepest else { throw flaw("it is nested too deeply") }
    return try body(&self)
  }

  /// `"…"`, in which a backslash takes the meaning from a quotation mark.
  private mutating func quoted() throws(PatternFlaw) -> String {
    let quote = text[position]
    position += 1
    var bytes: [UInt8] = []
    while let byte = next {
      position += 1
      if byte == quote { return String(decoding: bytes, as: UTF8.self) }
      if byte == UInt8(ascii: "\\"), let escaped = next, escaped == quote || escaped == byte {
        bytes.append(escaped)
        position += 1
      } else {
        bytes.append(byte)
      }
    }
    throw flaw("a quotation mark is not closed")
  }

  /// `%…%`, in which `\%` is a percent sign.
  private mutating func regex() throws(PatternFlaw) -> LogRegex {
    let start = position
    position += 1
    var bytes: [UInt8] = []
    while let byte = next {
      position += 1
      if byte == UInt8(ascii: "%") {
        guard !bytes.isEmpty else { throw flaw("the regular expression is empty") }
        do throws(RegexFlaw) {
          return try LogRegex(String(decoding: bytes, as: UTF8.self))
        } catch {
          throw PatternFlaw(message: "the regular expression: \(error.message)", offset: start + 1 + error.offset)
        }
      }
      if byte == UInt8(ascii: "\\"), let escaped = next {
        if escaped != UInt8(ascii: "%") { bytes.append(byte) }
        bytes.append(escaped)
        position += 1
      } else {
        bytes.append(byte)
      }
    }
    throw flaw("a regular expression is not closed")
  }

  // MARK: - Terms

  private mutating func terms() throws(PatternFlaw) -> FilterPattern.Kind {
    var (all, any, none): ([FilterPattern.Term], [FilterPattern.Term], [FilterPattern.Term]) = ([], [], [])
    while true {
      skipSpace()
      guard let sign = next else { break }
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "?") { position += 1 }
      let term = try term()
      switch sign {
      case UInt8(ascii: "-"): none.append(term)
      case UInt8(ascii: "?"): any.append(term)
      default: all.append(term)
      }
    }
    // Beside terms that must be there, optional ones mean nothing.
    return all.isEmpty && !any.isEmpty ? .choice(any: any, none: none) : .terms(all: all, none: none)
  }

  private mutating func term() throws(PatternFlaw) -> FilterPattern.Term {
    switch next {
    case UInt8(ascii: "\""):
      let text = try quoted()
      guard !text.isEmpty else { throw flaw("a term is empty") }
      return .text(Needle(Array(text.utf8)))
    case UInt8(ascii: "%"): return .regex(try regex())
    default:
      let start = position
      while let byte = next, CharacterSet256.words.contains(UInt32(byte)) || byte >= 128 { position += 1 }
      guard position > start else {
        throw flaw("a term with characters other than letters, digits and underscores must be in quotation marks")
      }
      if let byte = next, byte != 0x20, !(9...13).contains(byte) {
        throw flaw("a term with characters other than letters, digits and underscores must be in quotation marks")
      }
      return .text(Needle(Array(text[start..<position])))
    }
  }

  // MARK: - JSON

  private mutating func jsonAlternatives() throws(PatternFlaw) -> JSONCondition {
    try nested { parser throws(PatternFlaw) in
      var conditions = [try parser.jsonConjunction()]
      while parser.take("||") { conditions.append(try parser.jsonConjunction()) }
      return conditions.count == 1 ? conditions[0] : .any(conditions)
    }
  }

  private mutating func jsonConjunction() throws(PatternFlaw) -> JSONCondition {
    var conditions = [try jsonCondition()]
    while take("&&") { conditions.append(try jsonCondition()) }
    return conditions.count == 1 ? conditions[0] : .all(conditions)
  }

  private mutating func jsonCondition() throws(PatternFlaw) -> JSONCondition {
    if take("(") {
      let condition = try jsonAlternatives()
      try expect(")")
      return condition
    }
    let selector = try selector()
    if take(keyword: "NOT") {
      guard take(keyword: "EXISTS") else { throw flaw("EXISTS is missing") }
      return .test(selector, .notExists)
    }
    if take(keyword: "EXISTS") { return .test(selector, .exists) }
    if take(keyword: "IS") {
      if take(keyword: "NULL") { return .test(selector, .isNull) }
      if take(keyword: "TRUE") { return .test(selector, .isTrue) }
      if take(keyword: "FALSE") { return .test(selector, .isFalse) }
      throw flaw("NULL, TRUE or FALSE is missing")
    }
    guard let comparison = comparison() else { throw flaw("a comparison is missing") }
    return .test(selector, .compare(comparison, try operand(comparison)))
  }

  private mutating func comparison() -> PatternComparison? {
    for sign in ["!=", "<=", ">=", "=", "<", ">"] where take(sign) {
      if sign == "=" { _ = take("=") }
      return PatternComparison(rawValue: sign)
    }
    return nil
  }

  private mutating func operand(_ comparison: PatternComparison) throws(PatternFlaw) -> PatternOperand {
    skipSpace()
    let start = position
    let operand: PatternOperand
    switch next {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): operand = .text(WildcardText(try quoted()))
    case UInt8(ascii: "%"): operand = .regex(try regex())
    default:
      while let byte = next, !PatternParser.ends.contains(byte), !(9...13).contains(byte) {
        if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "|"), position + 1 < text.count,
          text[position + 1] == byte
        {
          break
        }
        position += 1
      }
      guard position > start else { throw flaw("a value is missing") }
      let word = String(decoding: text[start..<position], as: UTF8.self)
      operand = PatternParser.number(word).map { .number($0, text: word) } ?? .text(WildcardText(word))
    }
    switch (comparison, operand) {
    case (.equal, _), (.unequal, _), (_, .number): return operand
    default: throw PatternFlaw(message: "only numbers can be compared in this way", offset: start)
    }
  }

  private static let ends = Set(" ,]})(".utf8)

  private static func number(_ word: String) -> Double? {
    guard word.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
    return Double(word)
  }

  private mutating func selector() throws(PatternFlaw) -> JSONSelector {
    skipSpace()
    let start = position
    guard take("$") else { throw flaw("a selector must begin with '$'") }
    var steps: [JSONSelector.Step] = []
    loop: while let byte = next {
      switch byte {
      case UInt8(ascii: "."):
        position += 1
        steps.append(try memberStep())
      case UInt8(ascii: "["):
        position += 1
        steps.append(try bracketStep())
      default: break loop
      }
    }
    guard !steps.isEmpty else { throw flaw("a selector must name a member") }
    return JSONSelector(text: String(decoding: text[start..<position], as: UTF8.self), steps: steps)
  }

  private mutating func memberStep() throws(PatternFlaw) -> JSONSelector.Step {
    if next == UInt8(ascii: "*") {
      position += 1
      return .any
    }
    if next == UInt8(ascii: "\"") { return .member(Array(try quoted().utf8)) }
    let start = position
    while let byte = next,
      CharacterSet256.words.contains(UInt32(byte)) || byte >= 128 || "-@#:/".utf8.contains(byte)
    {
      position += 1
    }
    guard position > start else { throw flaw("a selector lacks the name of a member") }
    return .member(Array(text[start..<position]))
  }

  private mutating func bracketStep() throws(PatternFlaw) -> JSONSelector.Step {
    skipSpace()
    let step: JSONSelector.Step
    switch next {
    case UInt8(ascii: "*"):
      position += 1
      step = .any
    case UInt8(ascii: "\""), UInt8(ascii: "'"): step = .member(Array(try quoted().utf8))
    default:
      var index: Int?
      while let byte = next, (48...57).contains(byte), (index ?? 0) < 1_000_000 {
        index = (index ?? 0) * 10 + Int(byte - 48)
        position += 1
      }
      guard let index else { throw flaw("an index must be a number") }
      step = .element(index)
    }
    try expect("]")
    return step
  }

  // MARK: - Fields

  private mutating func fields() throws(PatternFlaw) -> FieldPattern {
    var (before, behind): ([String?], [String?]?) = ([], nil)
    var conditions: [FieldPattern.Condition] = []
    var names: [String: Int] = [:]
    repeat {
      skipSpace()
      if take("...") {
        guard behind == nil else { throw flaw("there can be one ellipsis only") }
        behind = []
        continue
      }
      let number = before.count + (behind?.count ?? 0)
      if next == UInt8(ascii: ",") || next == UInt8(ascii: "]") {
        if behind == nil { before.append(nil) } else { behind?.append(nil) }
        continue
      }
      let (name, condition) = try field(number, &names)
      if behind == nil { before.append(name) } else { behind?.append(name) }
      if let condition { conditions.append(condition) }
    } while take(",")
    try expect("]")
    return FieldPattern(before: before, behind: behind, condition: .all(conditions))
  }

  /// `status`, `status = 4*`, `status = 404 || status = 410`, `(w = a && w != b)`.
  private mutating func field(
    _ number: Int, _ names: inout [String: Int]
  ) throws(PatternFlaw) -> (name: String, FieldPattern.Condition?) {
    let start = position
    while take("(") {}
    let name = fieldName()
    guard !name.isEmpty else { throw flaw("the name of a field is missing") }
    names[name] = number
    position = start
    if next != UInt8(ascii: "(") {
      _ = fieldName()
      skipSpace()
      if next == UInt8(ascii: ",") || next == UInt8(ascii: "]") { return (name, nil) }
      position = start
    }
    return (name, try fieldAlternatives(names))
  }

  private mutating func fieldName() -> String {
    skipSpace()
    let start = position
    while let byte = next, CharacterSet256.words.contains(UInt32(byte)) || byte >= 128 || "-@#:$".utf8.contains(byte) {
      position += 1
    }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func fieldAlternatives(_ names: [String: Int]) throws(PatternFlaw) -> FieldPattern.Condition {
    try nested { parser throws(PatternFlaw) in
      var conditions = [try parser.fieldConjunction(names)]
      while parser.take("||") { conditions.append(try parser.fieldConjunction(names)) }
      return conditions.count == 1 ? conditions[0] : .any(conditions)
    }
  }

  private mutating func fieldConjunction(_ names: [String: Int]) throws(PatternFlaw) -> FieldPattern.Condition {
    var conditions = [try fieldCondition(names)]
    while take("&&") { conditions.append(try fieldCondition(names)) }
    return conditions.count == 1 ? conditions[0] : .all(conditions)
  }

  private mutating func fieldCondition(_ names: [String: Int]) throws(PatternFlaw) -> FieldPattern.Condition {
    if take("(") {
      let condition = try fieldAlternatives(names)
      try expect(")")
      return condition
    }
    let name = fieldName()
    guard let number = names[name] else { throw flaw("there is no field of the name '\(name)'") }
    guard let comparison = comparison() else { throw flaw("a comparison is missing") }
    return .test(field: number, comparison, try operand(comparison))
  }
}
