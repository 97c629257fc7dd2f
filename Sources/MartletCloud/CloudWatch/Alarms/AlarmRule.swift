// The rules of composite alarms: `ALARM("a") AND NOT (OK(b) OR TRUE)`. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
import MartletCore

indirect enum AlarmRule: Sendable, Equatable {
  case constant(Bool)
  /// Of the alarm of that name or ARN.
  case state(AlarmValue, String)
  case not(AlarmRule)
  case and(AlarmRule, AlarmRule)
  case or(AlarmRule, AlarmRule)

  /// nil if it is no rule.
  init?(_ text: String) {
    var parser = AlarmRuleParser(text)
    guard let rule = parser.rule(), parser.isAtEnd else { return nil }
    self = rule
  }

  /// The names of the alarms in it.
  var names: Set<String> {
    switch self {
    case .constant: []
    case .state(_, let name): [AlarmRule.name(name)]
    case .not(let rule): rule.names
    case .and(let a, let b), .or(let a, let b): a.names.union(b.names)
    }
  }

  /// The name in an ARN.
  static func name(_ text: String) -> String {
    guard text.hasPrefix("arn:"), let mark = text.firstRange(of: ":alarm:") else { return text }
    return String(text[mark.upperBound...])
  }

  func isTrue(_ states: (String) -> AlarmValue?) -> Bool {
    switch self {
    case .constant(let value): value
    case .state(let value, let name): states(AlarmRule.name(name)) == value
    case .not(let rule): !rule.isTrue(states)
    case .and(let a, let b): a.isTrue(states) && b.isTrue(states)
    case .or(let a, let b): a.isTrue(states) || b.isTrue(states)
    }
  }
}

private struct AlarmRuleParser {
  private var tokens: [Token] = []
  private var position = 0
  private var depth = 0

  private static let deepest = 100

  private enum Token: Equatable {
    case open, close
    case word(String)
    case quoted(String)
  }

  init(_ text: String) {
    var rest = text[...]
    while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
      } else if first == "(" || first == ")" {
        tokens.append(first == "(" ? .open : .close)
        rest.removeFirst()
      } else if first == "\"" || first == "'" {
        rest.removeFirst()
        tokens.append(.quoted(String(rest.prefix { $0 != first })))
        rest = rest.drop { $0 != first }.dropFirst()
      } else {
        let word = rest.prefix { !$0.isWhitespace && $0 != "(" && $0 != ")" }
        tokens.append(.word(String(word)))
        rest = rest[word.endIndex...]
      }
    }
  }

  var isAtEnd: Bool { position == tokens.count }

  private mutating func take(_ token: Token) -> Bool {
    guard position < tokens.count, tokens[position] == token else { return false }
    position += 1
    return true
  }

  mutating func rule() -> AlarmRule? {
    depth += 1
    defer { depth -= 1 }
    guard depth < AlarmRuleParser.deepest, var rule = conjunction() else { return nil }
    while take(.word("OR")) {
      guard let next = conjunction() else { return nil }
      rule = .or(rule, next)
    }
    return rule
  }

  private mutating func conjunction() -> AlarmRule? {
    guard var rule = factor() else { return nil }
    while take(.word("AND")) {
      guard let next = factor() else { return nil }
      rule = .and(rule, next)
    }
    return rule
  }

  private mutating func factor() -> AlarmRule? {
    depth += 1
    defer { depth -= 1 }
    guard depth < AlarmRuleParser.deepest else { return nil }
    if take(.word("NOT")) { return factor().map { .not($0) } }
    if take(.word("TRUE")) { return .constant(true) }
    if take(.word("FALSE")) { return .constant(false) }
    if take(.open) {
      guard let rule = rule(), take(.close) else { return nil }
      return rule
    }
    for value in AlarmValue.allCases where take(.word(value.rawValue)) {
      guard take(.open), position < tokens.count else { return nil }
      let name: String
      switch tokens[position] {
      case .word(let text), .quoted(let text): name = text
      default: return nil
      }
      position += 1
      guard !name.isEmpty, take(.close) else { return nil }
      return .state(value, name)
    }
    return nil
  }
}
