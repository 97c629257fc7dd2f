// Metric math: expressions over metrics, as GetMetricData and alarms have them. The grammar; MetricMath+Running.swift
// finds the values. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
import MartletCore

indirect enum MetricMath: Sendable, Equatable {
  case number(Double)
  case text(String)
  /// Of another query.
  case id(String)
  case list([MetricMath])
  case minus(MetricMath)
  case binary(String, MetricMath, MetricMath)
  case call(String, [MetricMath])

  struct Flaw: Error, Equatable {
    let message: String
    /// In characters.
    let offset: Int
  }

  init(_ text: String) throws(Flaw) {
    var parser = MetricMathParser(text)
    self = try parser.expression(0)
    try parser.end()
  }

  /// The queries that it is made of.
  var ids: Set<String> {
    switch self {
    case .number, .text: []
    case .id(let id): [id]
    case .list(let list): list.reduce(into: []) { $0.formUnion($1.ids) }
    case .minus(let one): one.ids
    case .binary(_, let a, let b): a.ids.union(b.ids)
    case .call(_, let arguments): arguments.reduce(into: []) { $0.formUnion($1.ids) }
    }
  }
}

private struct MetricMathParser {
  private let characters: [Character]
  private var position = 0
  private var depth = 0

  private static let deepest = 100
  /// From the loosest to the tightest.
  private static let operators = [
    ["||", "OR"], ["&&", "AND"], ["==", "!=", "<=", ">=", "<", ">"], ["+", "-"], ["*", "/"],
  ]

  init(_ text: String) { characters = Array(text) }

  private func flaw(_ message: String) -> MetricMath.Flaw { .init(message: message, offset: position) }

  private mutating func blank() {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
  }

  private mutating func take(_ text: String) -> Bool {
    blank()
    let wanted = Array(text)
    guard position + wanted.count <= characters.count, Array(characters[position..<position + wanted.count]) == wanted
    else { return false }
    let next = position + wanted.count
    // A word ends where another could not go on.
    if wanted[0].isLetter, next < characters.count, MetricMathParser.isWord(characters[next]) { return false }
    position = next
    return true
  }

  private static func isWord(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }

  mutating func end() throws(MetricMath.Flaw) {
    blank()
    if position < characters.count { throw flaw("Unexpected '\(characters[position])'") }
  }

  mutating func expression(_ level: Int) throws(MetricMath.Flaw) -> MetricMath {
    guard level < MetricMathParser.operators.count else { return try power() }
    depth += 1
    defer { depth -= 1 }
    guard depth < MetricMathParser.deepest * MetricMathParser.operators.count else { throw flaw("Nested too deeply") }
    var left = try expression(level + 1)
    while let found = MetricMathParser.operators[level].first(where: { take($0) }) {
      let name = found == "OR" ? "||" : found == "AND" ? "&&" : found
      left = .binary(name, left, try expression(level + 1))
    }
    return left
  }

  private mutating func power() throws(MetricMath.Flaw) -> MetricMath {
    if take("-") {
      depth += 1
      defer { depth -= 1 }
      guard depth < MetricMathParser.deepest * 5 else { throw flaw("Nested too deeply") }
      return .minus(try power())
    }
    let base = try primary()
    guard take("^") else { return base }
    depth += 1
    defer { depth -= 1 }
    guard depth < MetricMathParser.deepest * 5 else { throw flaw("Nested too deeply") }
    return .binary("^", base, try power())
  }

  private mutating func primary() throws(MetricMath.Flaw) -> MetricMath {
    blank()
    guard position < characters.count else { throw flaw("Unexpected end of the expression") }
    let first = characters[position]
    if take("(") {
      let inner = try expression(0)
      guard take(")") else { throw flaw("Missing ')'") }
      return inner
    }
    if take("[") { return .list(try elements("]")) }
    if first == "\"" || first == "'" { return .text(try quoted(first)) }
    if first.isNumber || first == "." { return .number(try number()) }
    guard first.isLetter || first == "_" else { throw flaw("Unexpected '\(first)'") }
    var word = ""
    while position < characters.count, MetricMathParser.isWord(characters[position]) {
      word.append(characters[position])
      position += 1
    }
    if take("(") { return .call(word.uppercased(), try elements(")")) }
    return .id(word)
  }

  private mutating func elements(_ end: String) throws(MetricMath.Flaw) -> [MetricMath] {
    if take(end) { return [] }
    var list = [try expression(0)]
    while take(",") { list.append(try expression(0)) }
    guard take(end) else { throw flaw("Missing '\(end)'") }
    return list
  }

  private mutating func quoted(_ quote: Character) throws(MetricMath.Flaw) -> String {
    position += 1
    var text = ""
    while position < characters.count, characters[position] != quote {
      if characters[position] == "\\", position + 1 < characters.count { position += 1 }
      text.append(characters[position])
      position += 1
    }
    guard position < characters.count else { throw flaw("Missing \(quote)") }
    position += 1
    return text
  }

  private mutating func number() throws(MetricMath.Flaw) -> Double {
    var text = ""
    while position < characters.count {
      let character = characters[position]
      let isExponent = (character == "e" || character == "E") && !text.isEmpty
      let isSign = (character == "-" || character == "+") && (text.last == "e" || text.last == "E")
      guard character.isNumber || character == "." || isExponent || isSign else { break }
      text.append(character)
      position += 1
    }
    guard let value = Double(text) else { throw flaw("'\(text)' is no number") }
    return value
  }
}
