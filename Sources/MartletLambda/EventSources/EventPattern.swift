// A filter pattern of an event source mapping: what it may look like. Matching walks the tree that is built here.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html and reference/event-source-mappings.md 4.8
import MartletWire

/// Fields of which all must match.
package struct EventPattern: Sendable, Equatable {
  package struct Field: Sendable, Equatable {
    package let name: String
    package let rule: Rule
  }

  package indirect enum Rule: Sendable, Equatable {
    /// An object with these fields.
    case fields(EventPattern)
    /// A leaf of which one matches.
    case leaf([Match])
    /// `$or`: one of these matches the object that the rule stands in.
    case either([EventPattern])
  }

  package enum Match: Sendable, Equatable {
    case equals(JSONValue)
    case equalsIgnoringCase(String)
    case prefix(String, ignoringCase: Bool)
    case suffix(String, ignoringCase: Bool)
    case exists(Bool)
    case numeric([Comparison])
    /// None of these strings or numbers.
    case anythingBut([JSONValue])
    /// Anything that does not match.
    indirect case anythingButMatch(Match)
  }

  package struct Comparison: Sendable, Equatable {
    package enum Sign: String, Sendable, CaseIterable {
      case equal = "="
      case less = "<"
      case lessOrEqual = "<="
      case greater = ">"
      case greaterOrEqual = ">="

      var isUpper: Bool { self == .less || self == .lessOrEqual }
      var isLower: Bool { self == .greater || self == .greaterOrEqual }
    }
    package let sign: Sign
    package let value: Double
  }

  package let fields: [Field]

  /// nil unless the text is a pattern.
  package init?(_ text: String) {
    guard let json = try? JSONValue(parsing: text) else { return nil }
    self.init(json: json)
  }

  /// Empty objects match nothing that is worth saying, and are refused as AWS refuses them.
  package init?(json: JSONValue) {
    guard let members = json.members, !members.isEmpty, Set(members.map(\.name)).count == members.count else {
      return nil
    }
    var fields: [Field] = []
    for member in members {
      guard let rule = EventPattern.rule(member) else { return nil }
      fields.append(Field(name: member.name, rule: rule))
    }
    self.fields = fields
  }

  private static func rule(_ member: JSONValue.Member) -> Rule? {
    if let elements = member.value.array {
      // One alternative is none, so that a field of that name stays possible.
      if member.name == "$or", elements.count > 1 {
        let patterns = elements.compactMap { EventPattern(json: $0) }
        if patterns.count == elements.count { return .either(patterns) }
      }
      let matches = elements.compactMap(match)
      return matches.isEmpty || matches.count != elements.count ? nil : .leaf(matches)
    }
    return EventPattern(json: member.value).map { .fields($0) }
  }

  /// One element of a leaf's list.
  private static func match(_ value: JSONValue) -> Match? {
    switch value {
    case .null, .bool, .integer, .double, .string: return .equals(value)
    case .array: return nil
    case .object(let members):
      guard members.count == 1, let member = members.first else { return nil }
      return operation(member.name, member.value)
    }
  }

  private static func operation(_ name: String, _ value: JSONValue) -> Match? {
    switch name {
    case "equals-ignore-case": return value.string.map { .equalsIgnoringCase($0) }
    case "prefix": return affix(value).map { .prefix($0.text, ignoringCase: $0.ignoringCase) }
    case "suffix": return affix(value).map { .suffix($0.text, ignoringCase: $0.ignoringCase) }
    case "exists": return value.bool.map { .exists($0) }
    case "numeric": return value.array.flatMap(comparisons).map { .numeric($0) }
    case "anything-but": return anythingBut(value)
    default: return nil
    }
  }

  /// A string, or `{"equals-ignore-case": string}`.
  private static func affix(_ value: JSONValue) -> (text: String, ignoringCase: Bool)? {
    if let text = value.string { return (text, false) }
    guard let members = value.members, members.count == 1, members[0].name == "equals-ignore-case" else { return nil }
    return members[0].value.string.map { ($0, true) }
  }

  /// One comparison, or a lower and an upper bound in this order or the other.
  private static func comparisons(_ list: [JSONValue]) -> [Comparison]? {
    guard list.count == 2 || list.count == 4 else { return nil }
    var found: [Comparison] = []
    for i in stride(from: 0, to: list.count, by: 2) {
      guard let sign = list[i].string.flatMap({ Comparison.Sign(rawValue: $0) }), let value = list[i + 1].number else {
        return nil
      }
      found.append(Comparison(sign: sign, value: value))
    }
    guard found.count == 2 else { return found }
    let isRange = found[0].sign.isLower && found[1].sign.isUpper || found[0].sign.isUpper && found[1].sign.isLower
    guard isRange, let low = found.first(where: \.sign.isLower), let high = found.first(where: \.sign.isUpper),
      low.value < high.value
    else { return nil }
    return found
  }

  private static func anythingBut(_ value: JSONValue) -> Match? {
    switch value {
    case .string, .integer, .double: return .anythingBut([value])
    case .array(let list):
      let isOneKind = list.allSatisfy { $0.string != nil } || list.allSatisfy { $0.number != nil }
      return list.isEmpty || !isOneKind ? nil : .anythingBut(list)
    case .object(let members):
      guard members.count == 1, ["prefix", "suffix", "equals-ignore-case"].contains(members[0].name) else { return nil }
      return operation(members[0].name, members[0].value).map { .anythingButMatch($0) }
    case .null, .bool: return nil
    }
  }
}
