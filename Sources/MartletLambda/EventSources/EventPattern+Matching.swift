// Whether a record matches a filter pattern: all fields of the pattern, one alternative of each.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
import MartletWire

extension EventPattern {
  package func matches(_ value: JSONValue) -> Bool {
    // Of a list of objects, one that matches is enough.
    if let elements = value.array { return elements.contains { matches($0) } }
    guard value.members != nil else { return fields.allSatisfy { $0.rule.matches(nil) } && !requiresObject }
    return fields.allSatisfy { field in
      if case .either = field.rule { return field.rule.matches(value) }
      return field.rule.matches(value[field.name])
    }
  }

  /// What stands under a name in the pattern cannot stand in something that has no names, even if it need not exist.
  private var requiresObject: Bool {
    fields.contains { field in
      if case .leaf(let matches) = field.rule { return !matches.contains(.exists(false)) }
      return true
    }
  }
}

extension EventPattern.Rule {
  /// - Parameter value: nil = there is none.
  fileprivate func matches(_ value: JSONValue?) -> Bool {
    switch self {
    case .fields(let pattern): pattern.matches(value ?? .object([]))
    case .either(let patterns): value.map { value in patterns.contains { $0.matches(value) } } ?? false
    case .leaf(let matches): matches.contains { $0.matches(value) }
    }
  }
}

extension EventPattern.Match {
  fileprivate func matches(_ value: JSONValue?) -> Bool {
    let leaves: [JSONValue]
    switch value {
    case nil, .object?: leaves = []
    case .array(let elements)?: leaves = elements.filter { $0.members == nil && $0.array == nil }
    case let value?: leaves = [value]
    }
    if case .exists(let wanted) = self { return leaves.isEmpty != wanted }
    return leaves.contains { matches(leaf: $0) }
  }

  private func matches(leaf: JSONValue) -> Bool {
    switch self {
    case .equals(let wanted): return EventPattern.Match.isEqual(leaf, wanted)
    case .equalsIgnoringCase(let wanted): return leaf.string?.lowercased() == wanted.lowercased()
    case .prefix(let wanted, let ignoringCase):
      guard let text = leaf.string else { return false }
      return ignoringCase ? text.lowercased().hasPrefix(wanted.lowercased()) : text.hasPrefix(wanted)
    case .suffix(let wanted, let ignoringCase):
      guard let text = leaf.string else { return false }
      return ignoringCase ? text.lowercased().hasSuffix(wanted.lowercased()) : text.hasSuffix(wanted)
    case .exists(let wanted): return wanted
    case .numeric(let comparisons):
      guard let number = leaf.number else { return false }
      return comparisons.allSatisfy { $0.holds(number) }
    case .anythingBut(let others): return !others.contains { EventPattern.Match.isEqual(leaf, $0) }
    case .anythingButMatch(let match): return !match.matches(leaf: leaf)
    }
  }

  /// 100, 100.0 and 1.0e2 are one number.
  private static func isEqual(_ a: JSONValue, _ b: JSONValue) -> Bool {
    if let a = a.number, let b = b.number { return a == b }
    return a == b
  }
}

extension EventPattern.Comparison {
  fileprivate func holds(_ number: Double) -> Bool {
    switch sign {
    case .equal: number == value
    case .less: number < value
    case .lessOrEqual: number <= value
    case .greater: number > value
    case .greaterOrEqual: number >= value
    }
  }
}
