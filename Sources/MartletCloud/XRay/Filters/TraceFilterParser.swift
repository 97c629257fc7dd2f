// Reads filter expressions: `service("api") { fault AND responsetime > 2 } OR annotation.user = "x"`.
import MartletCore

package struct TraceFilterParser {
  /// What is wrong, and at which character, counted from 1.
  package struct Flaw: Error, Equatable {
    package let reason: String
    package let position: Int
  }

  private enum Token: Equatable {
    case word(String)
    case text(String)
    case number(Double)
    case symbol(String)
    case end
  }

  private var tokens: [(token: Token, position: Int)]
  private var index = 0
  /// Parentheses, braces and exclamation marks that are open: an expression must not exhaust the stack.
  private var depth = 0
  private static let deepest = 100
  /// Characters of an expression; AWS's limit is not documented.
  private static let longest = 10_000

  /// - Throws: what is wrong with the expression.
  package static func parse(_ text: String) throws(Flaw) -> TraceFilter {
    let characters = Array(text.unicodeScalars)
    guard characters.count <= longest else {
      throw Flaw(reason: "the expression is too long", position: longest)
    }
    var parser = TraceFilterParser(tokens: try tokens(of: characters))
    let filter = try parser.alternatives()
    guard parser.peek == .end else { throw parser.unexpected() }
    return filter
  }

  // MARK: - Words

  private static func tokens(of text: [Unicode.Scalar]) throws(Flaw) -> [(
    token: Token, position: Int
  )] {
    var tokens: [(token: Token, position: Int)] = []
    var i = 0
    while i < text.count {
      let start = i
      let scalar = text[i]
      if scalar.properties.isWhitespace {
        i += 1
      } else if scalar == "\"" || scalar == "'" {
        tokens.append((.text(try quoted(text, &i)), start + 1))
      } else if isWord(scalar) {
        while i < text.count, isWord(text[i]) || ((text[i] == "-" || text[i] == "+") && i > start) {
          i += 1
        }
        let word = String(String.UnicodeScalarView(text[start..<i]))
        tokens.append((number(word).map { .number($0) } ?? .word(word), start + 1))
      } else if scalar == "-", i + 1 < text.count, isDigit(text[i + 1]) {
        i += 1
        while i < text.count, isWord(text[i]) || text[i] == "-" || text[i] == "+" { i += 1 }
        guard let number = number(String(String.UnicodeScalarView(text[start..<i]))) else {
          throw Flaw(reason: "not a number", position: start + 1)
        }
        tokens.append((.number(number), start + 1))
      } else {
        let two = i + 1 < text.count ? String(String.UnicodeScalarView(text[i...(i + 1)])) : ""
        let one = String(Character(scalar))
        guard
          let symbol = ["!=", "<=", ">=", "&&", "||"].contains(two)
            ? two : symbols.contains(one) ? one : nil
        else { throw Flaw(reason: "unexpected character '\(one)'", position: start + 1) }
        i += symbol.unicodeScalars.count
        tokens.append((.symbol(symbol), start + 1))
      }
    }
    tokens.append((.end, text.count + 1))
    return tokens
  }

  private static let symbols: Set<String> = [
    "(", ")", "{", "}", "[", "]", "=", "<", ">", "!", ",", ":",
  ]

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    isDigit(scalar) || scalar == "_" || scalar == "." || ("a"..."z").contains(scalar)
      || ("A"..."Z").contains(scalar)
  }

  private static func number(_ word: String) -> Double? {
    guard let first = word.unicodeScalars.first, isDigit(first) || first == "." || first == "-",
      let number = Double(word), number.isFinite
    else { return nil }
    return number
  }

  private static func quoted(_ text: [Unicode.Scalar], _ i: inout Int) throws(Flaw) -> String {
    let (start, quote) = (i, text[i])
    var value = String.UnicodeScalarView()
    i += 1
    while i < text.count, text[i] != quote {
      if text[i] == "\\", i + 1 < text.count { i += 1 }
      value.append(text[i])
      i += 1
    }
    guard i < text.count else { throw Flaw(reason: "the text has no end", position: start + 1) }
    i += 1
    return String(value)
  }

  // MARK: - Sentences

  private init(tokens: [(token: Token, position: Int)]) { self.tokens = tokens }

  private var peek: Token { tokens[index].token }
  private var position: Int { tokens[index].position }

  private mutating func take() -> Token {
    let token = tokens[index].token
    if index < tokens.count - 1 { index += 1 }
    return token
  }

  private func unexpected() -> Flaw {
    switch peek {
    case .end: Flaw(reason: "the expression ends too early", position: position)
    case .word(let word): Flaw(reason: "unexpected '\(word)'", position: position)
    case .text(let text): Flaw(reason: "unexpected text \"\(text)\"", position: position)
    case .number(let number): Flaw(reason: "unexpected number \(number)", position: position)
    case .symbol(let symbol): Flaw(reason: "unexpected '\(symbol)'", position: position)
    }
  }

  private mutating func skip(_ symbol: String) -> Bool {
    guard peek == .symbol(symbol) else { return false }
    _ = take()
    return true
  }

  private mutating func expect(_ symbol: String) throws(Flaw) {
    if !skip(symbol) { throw unexpected() }
  }

  private mutating func skipWord(_ words: String...) -> Bool {
    switch peek {
    case .word(let word) where words.contains(word.uppercased()),
      .symbol(let word) where words.contains(word):
      _ = take()
      return true
    default: return false
    }
  }

  private mutating func alternatives() throws(Flaw) -> TraceFilter {
    depth += 1
    defer { depth -= 1 }
    guard depth <= TraceFilterParser.deepest else {
      throw Flaw(reason: "it is nested too deep", position: position)
    }
    var filter = try conjunction()
    while skipWord("OR", "||") { filter = .or(filter, try conjunction()) }
    return filter
  }

  private mutating func conjunction() throws(Flaw) -> TraceFilter {
    var filter = try term()
    while skipWord("AND", "&&") { filter = .and(filter, try term()) }
    return filter
  }

  private mutating func term() throws(Flaw) -> TraceFilter {
    if skip("!") || skipWord("NOT") {
      depth += 1
      defer { depth -= 1 }
      guard depth <= TraceFilterParser.deepest else {
        throw Flaw(reason: "it is nested too deep", position: position)
      }
      return .not(try term())
    }
    if skip("(") {
      let filter = try alternatives()
      try expect(")")
      return filter
    }
    guard case .word(let word) = peek else { throw unexpected() }
    let place = position
    _ = take()
    return try keyword(word, at: place)
  }

  private mutating func keyword(_ word: String, at place: Int) throws(Flaw) -> TraceFilter {
    let key = word.lowercased()
    if key == "service" { return try service() }
    if key == "edge" { return try edge() }
    if key == "annotation", skip("[") {
      let name: String
      switch take() {
      case .word(let word), .text(let word): name = word
      default: throw unexpected()
      }
      try expect("]")
      return .annotation(name, try test())
    }
    if key.hasPrefix("annotation."), key.utf8.count > 11 {
      return .annotation(String(word.dropFirst(11)), try test())
    }
    if key == "group.name" || key == "group.arn" {
      try expect("=")
      guard case .text(let name) = take() else {
        throw Flaw(reason: "a text must follow", position: position)
      }
      return .group(isARN: key == "group.arn", name)
    }
    if let flag = TraceFilter.Flag(rawValue: key) { return try self.flag(flag) }
    if let number = TraceFilter.NumberKey(rawValue: key) {
      guard let comparison = comparison() else { throw unexpected() }
      guard case .number(let value) = peek else { throw unexpected() }
      _ = take()
      return .number(number, comparison, value)
    }
    if let text = TraceFilter.TextKey(rawValue: key) {
      guard let comparison = textComparison() else { throw unexpected() }
      guard case .text(let value) = peek else { throw unexpected() }
      _ = take()
      return .text(text, comparison, value)
    }
    throw Flaw(reason: "unknown keyword '\(word)'", position: place)
  }

  /// `fault`, `fault = true`, `fault != false`.
  private mutating func flag(_ flag: TraceFilter.Flag) throws(Flaw) -> TraceFilter {
    let isNegated = peek == .symbol("!=")
    guard skip("=") || skip("!=") else { return .flag(flag) }
    guard let value = bool() else { throw unexpected() }
    return value != isNegated ? .flag(flag) : .not(.flag(flag))
  }

  private mutating func bool() -> Bool? {
    if skipWord("TRUE") { return true }
    return skipWord("FALSE") ? false : nil
  }

  private mutating func comparison() -> TraceFilter.Comparison? {
    guard case .symbol(let symbol) = peek, let comparison = TraceFilter.Comparison(rawValue: symbol)
    else {
      return nil
    }
    _ = take()
    return comparison
  }

  private mutating func textComparison() -> TraceFilter.TextComparison? {
    switch peek {
    case .symbol(let word), .word(let word):
      guard let comparison = TraceFilter.TextComparison(rawValue: word.uppercased()) else {
        return nil
      }
      _ = take()
      return comparison
    default: return nil
    }
  }

  /// What is asked of an annotation; nil if nothing is.
  private mutating func test() throws(Flaw) -> TraceFilter.Test? {
    let start = index
    if let comparison = comparison() {
      switch peek {
      case .number(let value):
        _ = take()
        return .number(comparison, value)
      case .word:
        guard comparison == .equal || comparison == .unequal, let value = bool() else {
          throw unexpected()
        }
        return .bool(value, isNegated: comparison == .unequal)
      default: index = start
      }
    }
    guard let comparison = textComparison() else {
      if case .symbol(let symbol) = peek, TraceFilter.Comparison(rawValue: symbol) != nil {
        throw unexpected()
      }
      return nil
    }
    guard case .text(let value) = peek else { throw unexpected() }
    _ = take()
    return .text(comparison, value)
  }

  private mutating func inner() throws(Flaw) -> TraceFilter? {
    guard skip("{") else { return nil }
    let filter = try alternatives()
    try expect("}")
    return filter
  }

  private mutating func service() throws(Flaw) -> TraceFilter {
    try expect("(")
    let selector = peek == .symbol(")") ? nil : try selected()
    try expect(")")
    return .service(selector, try inner())
  }

  private mutating func edge() throws(Flaw) -> TraceFilter {
    try expect("(")
    if skip(")") { return .edge(nil, nil, try inner()) }
    let from = try selected()
    try expect(",")
    let to = try selected()
    try expect(")")
    return .edge(from, to, try inner())
  }

  /// A name, or `id(name: "", type: "", account.id: "")`; nil for `id()`, which may be anything.
  private mutating func selected() throws(Flaw) -> TraceFilter.Selector? {
    if case .text(let name) = peek {
      _ = take()
      return TraceFilter.Selector(name: name)
    }
    guard skipWord("ID") else { throw unexpected() }
    try expect("(")
    var selector = TraceFilter.Selector()
    while peek != .symbol(")") {
      guard case .word(let field) = peek else { throw unexpected() }
      let place = position
      _ = take()
      try expect(":")
      guard case .text(let value) = peek else { throw unexpected() }
      _ = take()
      switch field.lowercased() {
      case "name": selector.name = value
      case "type": selector.type = value
      case "account.id": selector.account = value
      default: throw Flaw(reason: "unknown field '\(field)'", position: place)
      }
      if !skip(",") { break }
    }
    try expect(")")
    return selector == TraceFilter.Selector() ? nil : selector
  }
}
