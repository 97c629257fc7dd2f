// Matches events with patterns. An array stands for each of its elements: one that matches is enough, and fields of one
// object in an array match together or not at all.

extension EventPattern {
  package func matches(_ event: JSONValue) -> Bool {
    Matching(event: event).isMet(self, by: event.members ?? [], at: [])
  }
}

private struct Matching {
  let event: JSONValue

  /// - Parameter path: of the object in the event.
  func isMet(_ pattern: EventPattern, by object: [JSONValue.Member], at path: [String]) -> Bool {
    pattern.fields.allSatisfy { field in
      switch field.rule {
      case .either(let patterns): patterns.contains { isMet($0, by: object, at: path) }
      case .fields(let inner): isMet(inner, by: object.newest(field.name), at: path + [field.name])
      case .leaf(let matches): isMet(matches, by: object.newest(field.name), at: path, field.name)
      }
    }
  }

  private func isMet(_ pattern: EventPattern, by value: JSONValue?, at path: [String]) -> Bool {
    switch value {
    case .object(let members): isMet(pattern, by: members, at: path)
    case .array(let elements) where !elements.isEmpty: elements.contains { isMet(pattern, by: $0, at: path) }
    // Nothing has fields; a pattern that wants some to be absent is met by it.
    default: isMet(pattern, by: [], at: path)
    }
  }

  private func isMet(
    _ matches: [EventPattern.Match], by value: JSONValue?, at path: [String], _ name: String
  ) -> Bool {
    if let value, hasMatch(matches, value) { return true }
    guard matches.contains(.exists(false)) else { return false }
    // What is absent here may be there in another object of an array above.
    return !Matching.hasLeaf(event, at: (path + [name])[...])
  }

  private func hasMatch(_ matches: [EventPattern.Match], _ value: JSONValue) -> Bool {
    switch value {
    case .array(let elements): elements.contains { hasMatch(matches, $0) }
    case .object: false
    default: matches.contains { $0.matches(value) }
    }
  }

  private static func hasLeaf(_ value: JSONValue, at path: ArraySlice<String>) -> Bool {
    switch value {
    case .array(let elements): return elements.contains { hasLeaf($0, at: path) }
    case .object(let members):
      guard let name = path.first, let inner = members.newest(name) else { return false }
      return hasLeaf(inner, at: path.dropFirst())
    default: return path.isEmpty
    }
  }
}

extension EventPattern.Match {
  /// True if a value that is there, and neither an object nor an array, is what the pattern wants.
  package func matches(_ value: JSONValue) -> Bool {
    switch self {
    case .equals(let wanted): return EventPattern.Match.isSame(wanted, value)
    case .equalsIgnoringCase(let text): return value.string.map { isSameText($0.lowercased(), text) } ?? false
    case .prefix(let text, let ignoringCase):
      return value.string.map { (ignoringCase ? $0.lowercased() : $0).utf8.starts(with: text.utf8) } ?? false
    case .suffix(let text, let ignoringCase):
      return value.string.map {
        (ignoringCase ? $0.lowercased() : $0).utf8.reversed().starts(with: text.utf8.reversed())
      }
        ?? false
    case .exists(let isThere): return isThere
    case .numeric(let comparisons):
      guard let number = value.number else { return false }
      return comparisons.allSatisfy { $0.holds(for: number) }
    case .wildcard(let wildcard): return value.string.map { wildcard.matches($0) } ?? false
    case .cidr(let range): return value.string.map { range.contains($0) } ?? false
    case .anythingBut(let values): return !values.contains { EventPattern.Match.isSame($0, value) }
    case .anythingButAny(let matches): return !matches.contains { $0.matches(value) }
    }
  }

  /// Numbers by their values; texts by their bytes, where Swift would take equivalent ones for equal.
  private static func isSame(_ wanted: JSONValue, _ value: JSONValue) -> Bool {
    switch (wanted, value) {
    case (.string(let a), .string(let b)): isSameText(a, b)
    case (.integer(let a), .integer(let b)): a == b
    case (.integer, _), (.double, _): wanted.number == value.number
    default: wanted == value
    }
  }
}

private func isSameText(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

extension EventPattern.Comparison {
  func holds(for number: Double) -> Bool {
    switch sign {
    case .equal: number == value
    case .less: number < value
    case .lessOrEqual: number <= value
    case .greater: number > value
    case .greaterOrEqual: number >= value
    }
  }
}

extension [JSONValue.Member] {
  /// The last of that name counts.
  fileprivate func newest(_ name: String) -> JSONValue? { last { $0.name == name }?.value }
}
