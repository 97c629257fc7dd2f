// The search of `SEARCH(…)`: `{AWS/Lambda,FunctionName} MetricName="Errors" NOT beta`. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
import MartletCore
import MartletWire

struct MetricSearch: Sendable {
  private indirect enum Condition: Sendable {
    /// Of a property, or of any if it is nil; exactly, or as a part.
    case term(property: String?, text: String, isExact: Bool)
    case not(Condition)
    case all([Condition])
    case any([Condition])
  }

  private enum Token: Equatable {
    case open, close, equals
    case word(String)
    case quoted(String)
  }

  /// The namespace and the names of the dimensions, which are all that there are.
  let schema: (space: String, dimensions: Set<String>)?
  private let condition: Condition

  init(_ text: String) throws(MetricMathError) {
    var rest = text[...].drop(while: \.isWhitespace)
    if rest.first == "{" {
      guard let end = rest.firstIndex(of: "}") else { throw .init(message: "Missing '}' in SEARCH.") }
      let parts = rest[rest.index(after: rest.startIndex)..<end].split(separator: ",").map { MetricSearch.bare($0) }
      guard let space = parts.first else { throw .init(message: "The schema of SEARCH is empty.") }
      schema = (space, Set(parts.dropFirst()))
      rest = rest[rest.index(after: end)...]
    } else {
      schema = nil
    }
    var tokens = MetricSearch.tokens(rest)[...]
    condition = try MetricSearch.conditions(&tokens, depth: 0)
    if !tokens.isEmpty { throw .init(message: "Unexpected ')' in SEARCH.") }
  }

  private static func bare(_ text: Substring) -> String {
    String(text.drop { $0 == " " || $0 == "\"" }.reversed().drop { $0 == " " || $0 == "\"" }.reversed())
  }

  private static func tokens(_ text: Substring) -> [Token] {
    var tokens: [Token] = []
    var rest = text
    while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
      } else if first == "(" || first == ")" || first == "=" {
        tokens.append(first == "(" ? .open : first == ")" ? .close : .equals)
        rest.removeFirst()
      } else if first == "\"" {
        rest.removeFirst()
        let inside = rest.prefix { $0 != "\"" }
        tokens.append(.quoted(String(inside)))
        rest = rest[inside.endIndex...].dropFirst()
      } else {
        let word = rest.prefix { !$0.isWhitespace && !"()=\"".contains($0) }
        tokens.append(.word(String(word)))
        rest = rest[word.endIndex...]
      }
    }
    return tokens
  }

  private static func conditions(_ tokens: inout ArraySlice<Token>, depth: Int) throws(MetricMathError) -> Condition {
    guard depth < 50 else { throw .init(message: "SEARCH is nested too deeply.") }
    var choices: [[Condition]] = [[]]
    while let token = tokens.first, token != .close {
      if token == .word("OR") {
        tokens.removeFirst()
        choices.append([])
      } else if token == .word("AND") {
        tokens.removeFirst()
      } else {
        choices[choices.count - 1].append(try one(&tokens, depth: depth))
      }
    }
    return choices.count == 1 ? .all(choices[0]) : .any(choices.map { .all($0) })
  }

  private static func one(_ tokens: inout ArraySlice<Token>, depth: Int) throws(MetricMathError) -> Condition {
    guard depth < 50 else { throw .init(message: "SEARCH is nested too deeply.") }
    switch tokens.removeFirst() {
    case .open:
      let inner = try conditions(&tokens, depth: depth + 1)
      guard tokens.popFirst() == .close else { throw .init(message: "Missing ')' in SEARCH.") }
      return inner
    case .word("NOT"):
      guard !tokens.isEmpty else { throw .init(message: "NOT of nothing in SEARCH.") }
      return .not(try one(&tokens, depth: depth + 1))
    case .word(let text),
      .quoted(let text) where tokens.first == .equals:
      guard tokens.first == .equals else { return .term(property: nil, text: text, isExact: false) }
      tokens.removeFirst()
      switch tokens.popFirst() {
      case .word(let value)?: return .term(property: text, text: value, isExact: false)
      case .quoted(let value)?: return .term(property: text, text: value, isExact: true)
      case .open?:
        var values: [Condition] = []
        while let token = tokens.popFirst(), token != .close {
          switch token {
          case .word("OR"), .word("AND"): continue
          case .word(let value): values.append(.term(property: text, text: value, isExact: false))
          case .quoted(let value): values.append(.term(property: text, text: value, isExact: true))
          default: throw .init(message: "A value is wanted behind '\(text)=' in SEARCH.")
          }
        }
        return .any(values)
      default: throw .init(message: "A value is wanted behind '\(text)=' in SEARCH.")
      }
    case .quoted(let text): return .term(property: nil, text: text, isExact: true)
    default: throw .init(message: "SEARCH cannot be read.")
    }
  }

  // MARK: - Finding

  func wants(_ metric: MetricName) -> Bool {
    if let schema {
      guard metric.space == schema.space, Set(metric.dimensions.map(\.name)) == schema.dimensions else { return false }
    }
    return MetricSearch.holds(condition, metric)
  }

  private static func holds(_ condition: Condition, _ metric: MetricName) -> Bool {
    switch condition {
    case .all(let list): return list.allSatisfy { holds($0, metric) }
    case .any(let list): return list.contains { holds($0, metric) }
    case .not(let one): return !holds(one, metric)
    case .term(let property, let text, let isExact):
      let values: [String]
      switch property {
      case "MetricName": values = [metric.name]
      case "Namespace": values = [metric.space]
      case let name?: values = metric.dimensions.filter { $0.name == name }.map(\.value)
      case nil: values = [metric.name, metric.space] + metric.dimensions.flatMap { [$0.name, $0.value] }
      }
      if isExact { return values.contains(text) }
      let wanted = text.lowercased()
      return values.contains { $0.lowercased().firstRange(of: wanted) != nil }
    }
  }
}
