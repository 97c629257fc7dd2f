// Which messages a subscription wants: a filter policy as it is matched. FilterPolicy+Parsing.swift reads one.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
import MartletCore
import MartletWire

/// Fields of which all must match. Unlike the patterns of EventBridge it looks at attributes as well as at a body, its
/// names may have dots that mean nesting, and of a list of values each is tried by itself.
struct FilterPolicy: Sendable, Equatable {
  enum Scope: String, Sendable {
    case attributes = "MessageAttributes"
    case body = "MessageBody"
  }

  enum Rule: Sendable, Equatable {
    /// The values under a name, with dots between the names that it is nested in; one of these must match.
    case field(String, [Match])
    /// All rules of one of these match.
    case either([[Rule]])
  }

  enum Match: Sendable, Equatable {
    case equals(JSONValue)
    case exists(Bool)
    case numeric([Comparison])
    case text(Text)
    case cidr(AddressRange)
    /// None of these.
    case anythingBut([JSONValue])
    /// None of these matches.
    case anythingButText([Text])
  }

  enum Text: Sendable, Equatable {
    case prefix(String)
    case suffix(String)
    /// In lower case.
    case ignoringCase(String)
    case wildcard(MartletWire.Wildcard)
  }

  struct Comparison: Sendable, Equatable {
    enum Sign: String, Sendable {
      case equal = "="
      case less = "<"
      case lessOrEqual = "<="
      case greater = ">"
      case greaterOrEqual = ">="
    }
    let sign: Sign
    let value: Double

    func holds(_ other: Double) -> Bool {
      switch sign {
      case .equal: other == value
      case .less: other < value
      case .lessOrEqual: other <= value
      case .greater: other > value
      case .greaterOrEqual: other >= value
      }
    }
  }

  let scope: Scope
  let rules: [Rule]

  // MARK: - Matching

  /// - Parameters:
  ///   - message: as the subscription's protocol gets it.
  func matches(_ message: String, _ attributes: [SNS.Attribute]) -> Bool {
    guard !rules.isEmpty else { return true }
    switch scope {
    case .attributes: return FilterPolicy.holds(rules, FilterPolicy.values(of: attributes))
    case .body:
      guard let json = try? JSONValue(parsing: message), let members = json.members else { return false }
      var values: [String: [JSONValue]] = [:]
      FilterPolicy.flatten(members, prefix: "", into: &values)
      return FilterPolicy.holds(rules, values)
    }
  }

  private static func holds(_ rules: [Rule], _ values: [String: [JSONValue]]) -> Bool {
    rules.allSatisfy { rule in
      switch rule {
      case .field(let name, let matches):
        let found = values[name]
        return matches.contains { $0.matches(found) }
      case .either(let alternatives): return alternatives.contains { holds($0, values) }
      }
    }
  }

  /// Binary attributes are there, and have no value that could match. A `String.Array` that is none has nothing at all.
  private static func values(of attributes: [SNS.Attribute]) -> [String: [JSONValue]] {
    var values: [String: [JSONValue]] = [:]
    for attribute in attributes {
      let text = attribute.string ?? ""
      if attribute.type == "String.Array" {
        let elements = (try? JSONValue(parsing: text))?.array
        values[attribute.name] = elements ?? [.array([])]
      } else if attribute.type == "Number" || attribute.type.hasPrefix("Number.") {
        values[attribute.name] = [Double(text).map { .double($0) } ?? .array([])]
      } else if attribute.string != nil {
        values[attribute.name] = [.string(text)]
      } else {
        values[attribute.name] = [.array([])]
      }
    }
    return values
  }

  /// The leaves of a tree; those below a list all stand under the list's name.
  private static func flatten(
    _ members: [JSONValue.Member], prefix: String, into values: inout [String: [JSONValue]]
  ) {
    for member in members { flatten(member.value, name: prefix + member.name, into: &values) }
  }

  private static func flatten(_ value: JSONValue, name: String, into values: inout [String: [JSONValue]]) {
    switch value {
    case .object(let members): flatten(members, prefix: name + ".", into: &values)
    case .array(let elements): for element in elements { flatten(element, name: name, into: &values) }
    default: values[name, default: []].append(value)
    }
  }
}

extension FilterPolicy.Match {
  /// - Parameter values: nil = there is no such field.
  func matches(_ values: [JSONValue]?) -> Bool {
    if case .exists(let wanted) = self { return wanted == (values != nil) }
    return values?.contains(where: matches) == true
  }

  private func matches(_ value: JSONValue) -> Bool {
    // What has no value that can be compared, such as bytes.
    if case .array = value { return false }
    switch self {
    case .equals(let wanted): return FilterPolicy.isSame(wanted, value)
    case .exists: return true
    case .numeric(let comparisons):
      guard let number = value.number else { return false }
      return comparisons.allSatisfy { $0.holds(number) }
    case .text(let text): return value.string.map(text.matches) ?? false
    case .cidr(let block): return value.string.map(block.contains) ?? false
    case .anythingBut(let unwanted): return value != .null && !unwanted.contains { FilterPolicy.isSame($0, value) }
    case .anythingButText(let texts):
      guard let string = value.string else { return false }
      return !texts.contains { $0.matches(string) }
    }
  }
}

extension FilterPolicy {
  /// Numbers are the same whether or not they are written with a fraction.
  fileprivate static func isSame(_ a: JSONValue, _ b: JSONValue) -> Bool {
    if let x = a.number, let y = b.number { return x == y }
    // Characters that look the same are not the same for AWS, which compares code units.
    if let x = a.string, let y = b.string { return x.utf8.elementsEqual(y.utf8) }
    return a == b
  }
}

extension FilterPolicy.Text {
  func matches(_ text: String) -> Bool {
    switch self {
    case .prefix(let prefix): text.utf8.starts(with: prefix.utf8)
    case .suffix(let suffix): text.utf8.reversed().starts(with: suffix.utf8.reversed())
    case .ignoringCase(let lower): text.lowercased() == lower
    case .wildcard(let wildcard): wildcard.matches(text)
    }
  }
}
