// The words of a query of Logs Insights, each with its place.
import MartletCore

/// Why a text is no query.
struct QueryFlaw: Error, Equatable {
  let message: String
  /// In characters of the query, from 0; the end is exclusive.
  let start: Int
  let end: Int
}

struct QueryToken: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// A name or a keyword.
    case word(String)
    /// A name in backticks, which is no keyword.
    case quotedName(String)
    case text(String)
    case regex(String, ignoresCase: Bool)
    /// With the unit behind it, if there is one: `5m`.
    case number(Double, unit: String)
    case sign(String)
    case end
  }

  let kind: Kind
  let start: Int
  let end: Int
}

struct QueryLexer {
  private let text: [Character]
  private var position = 0
  private(set) var tokens: [QueryToken] = []

  /// - Throws: a flaw of a text or a regular expression that does not end, or of a character that means nothing.
  static func tokens(_ text: String) throws(QueryFlaw) -> [QueryToken] {
    var lexer = QueryLexer(text: Array(text))
    while lexer.position < lexer.text.count { try lexer.step() }
    lexer.add(.end, from: lexer.position)
    return lexer.tokens
  }

  private init(text: [Character]) { self.text = text }

  private mutating func add(_ kind: QueryToken.Kind, from start: Int) {
    tokens.append(QueryToken(kind: kind, start: start, end: position))
  }

  private func flaw(_ message: String, from start: Int) -> QueryFlaw {
    QueryFlaw(message: message, start: start, end: max(position, start + 1))
  }

  private func peek(_ offset: Int = 0) -> Character? {
    position + offset < text.count ? text[position + offset] : nil
  }

  /// Behind these a slash is a division.
  private var followsValue: Bool {
    switch tokens.last?.kind {
    case .number, .text, .quotedName: true
    case .word(let word): !QueryLexer.operators.contains(word.lowercased())
    case .sign(let sign): sign == ")" || sign == "]"
    default: false
    }
  }

  private static let operators: Set<String> = ["like", "and", "or", "not", "in", "by", "filter", "parse"]

  private mutating func step() throws(QueryFlaw) {
    let start = position
    let character = text[position]
    switch character {
    case _ where character.isWhitespace: position += 1
    case "#":
      while let next = peek(), !next.isNewline { position += 1 }
    case "'", "\"": try quoted(character)
    case "`":
      let name = try until("`")
      add(.quotedName(name), from: start)
    case "/" where !followsValue || isPattern: try regex()
    case _ where character.isNumber && character.isASCII: number()
    case _ where QueryLexer.isNameStart(character):
      while let next = peek(), QueryLexer.isNamePart(next) { position += 1 }
      // A name does not end in a point.
      while position - 1 > start, text[position - 1] == "." { position -= 1 }
      add(.word(String(text[start..<position])), from: start)
    default:
      for sign in ["!=", "<=", ">=", "=~", "==", "&&", "||"] where String(text[position...].prefix(2)) == sign {
        position += 2
        return add(.sign(sign), from: start)
      }
      position += 1
      guard "=<>+-*/%^(),[]|".contains(character) else {
        throw flaw("unexpected symbol found: \(character)", from: start)
      }
      add(.sign(String(character)), from: start)
    }
  }

  /// `parse @message /…/`: here a slash behind a name begins a regular expression.
  private var isPattern: Bool {
    guard tokens.count >= 2, case .word(let word) = tokens[tokens.count - 2].kind else { return false }
    guard word.lowercased() == "parse", case .word = tokens[tokens.count - 1].kind else {
      if case .quotedName? = tokens.last?.kind { return word.lowercased() == "parse" }
      return false
    }
    return true
  }

  private static func isNameStart(_ character: Character) -> Bool {
    character.isLetter || character == "_" || character == "@" || character == "$"
  }

  private static func isNamePart(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_" || character == "@" || character == "."
      || character == "$"
  }

  private mutating func until(_ end: Character) throws(QueryFlaw) -> String {
    let start = position
    position += 1
    while let next = peek(), next != end { position += 1 }
    guard peek() == end else { throw flaw("unexpected end of the query: \(end) is missing", from: start) }
    position += 1
    return String(text[(start + 1)..<(position - 1)])
  }

  private mutating func quoted(_ quote: Character) throws(QueryFlaw) {
    let start = position
    position += 1
    var value = ""
    while let next = peek() {
      position += 1
      if next == quote { return add(.text(value), from: start) }
      if next == "\\", let escaped = peek(), escaped == quote || escaped == "\\" {
        value.append(escaped)
        position += 1
      } else {
        value.append(next)
      }
    }
    throw flaw("unexpected end of the query: \(quote) is missing", from: start)
  }

  private mutating func regex() throws(QueryFlaw) {
    let start = position
    position += 1
    var value = ""
    while let next = peek() {
      position += 1
      if next == "/" {
        let ignoresCase = peek() == "i" && !(peek(1).map { QueryLexer.isNamePart($0) } ?? false)
        if ignoresCase { position += 1 }
        return add(.regex(value, ignoresCase: ignoresCase), from: start)
      }
      if next == "\\", let escaped = peek() {
        if escaped != "/" { value.append(next) }
        value.append(escaped)
        position += 1
      } else {
        value.append(next)
      }
    }
    throw flaw("unexpected end of the query: / is missing", from: start)
  }

  private mutating func number() {
    let start = position
    while let next = peek(), next.isASCII, next.isNumber { position += 1 }
    if peek() == ".", let next = peek(1), next.isASCII, next.isNumber {
      position += 1
      while let next = peek(), next.isASCII, next.isNumber { position += 1 }
    }
    if let mark = peek(), mark == "e" || mark == "E", let next = peek(1), next.isASCII && next.isNumber {
      position += 2
      while let next = peek(), next.isASCII, next.isNumber { position += 1 }
    }
    let value = Double(String(text[start..<position])) ?? 0
    let unit = position
    while let next = peek(), next.isLetter { position += 1 }
    add(.number(value, unit: String(text[unit..<position])), from: start)
  }
}
