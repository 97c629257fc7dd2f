// Many patterns at once: finds those that an event matches without comparing it with all of them.

/// Each pattern stands under values that it demands of one field; an event is compared with those that stand under its
/// own values, and with those that demand none.
package struct PatternIndex<ID: Hashable & Sendable>: Sendable {
  /// Equal values have equal keys; so may others, because patterns have the last word.
  private enum Key: Hashable, Sendable {
    case text(String)
    case number(Double)
    case other(String)

    init(_ value: JSONValue) {
      switch value {
      case .string(let text): self = .text(text)
      case .integer, .double: self = .number(value.number ?? 0)
      default: self = .other(value.text)
      }
    }
  }

  private struct Demand: Sendable {
    let path: [String]
    let keys: Set<Key>
  }

  private struct Entry: Sendable {
    let pattern: EventPattern
    /// Where it stands; nil = with those that demand nothing.
    let demand: Demand?
  }

  private var entries: [ID: Entry] = [:]
  private var shelves: [[String]: [Key: Set<ID>]] = [:]
  private var rest: Set<ID> = []

  package init() {}

  package var isEmpty: Bool { entries.isEmpty }

  /// - Parameter pattern: nil removes what is there.
  package mutating func put(_ id: ID, _ pattern: EventPattern?) {
    if let old = entries.removeValue(forKey: id) { remove(id, old) }
    guard let pattern else { return }
    // Under the values that fewest others share, so that no shelf grows for a value that all demand.
    let demand = PatternIndex.demands(pattern, at: []).min { crowd($0) < crowd($1) }
    entries[id] = Entry(pattern: pattern, demand: demand)
    guard let demand else {
      rest.insert(id)
      return
    }
    for key in demand.keys { shelves[demand.path, default: [:]][key, default: []].insert(id) }
  }

  private mutating func remove(_ id: ID, _ entry: Entry) {
    guard let demand = entry.demand else {
      rest.remove(id)
      return
    }
    for key in demand.keys {
      shelves[demand.path]?[key]?.remove(id)
      if shelves[demand.path]?[key]?.isEmpty == true { shelves[demand.path]?[key] = nil }
    }
    if shelves[demand.path]?.isEmpty == true { shelves[demand.path] = nil }
  }

  private func crowd(_ demand: Demand) -> Int {
    guard let shelf = shelves[demand.path] else { return 0 }
    return demand.keys.reduce(0) { $0 + (shelf[$1]?.count ?? 0) }
  }

  /// Fields of which the pattern wants one of several values and nothing else.
  private static func demands(_ pattern: EventPattern, at path: [String]) -> [Demand] {
    pattern.fields.flatMap { field -> [Demand] in
      switch field.rule {
      case .either: return []
      case .fields(let inner): return demands(inner, at: path + [field.name])
      case .leaf(let matches):
        let keys = matches.compactMap { match in if case .equals(let value) = match { Key(value) } else { nil } }
        return keys.count == matches.count ? [Demand(path: path + [field.name], keys: Set(keys))] : []
      }
    }
  }

  /// Those that the event matches, in no order.
  package func matching(_ event: JSONValue) -> [ID] {
    var found = rest
    for (path, shelf) in shelves {
      PatternIndex.forEachLeaf(event, at: path[...]) { found.formUnion(shelf[Key($0)] ?? []) }
    }
    return found.filter { entries[$0]?.pattern.matches(event) == true }
  }

  private static func forEachLeaf(_ value: JSONValue, at path: ArraySlice<String>, _ body: (JSONValue) -> Void) {
    switch value {
    case .array(let elements): for element in elements { forEachLeaf(element, at: path, body) }
    case .object:
      if let name = path.first, let inner = value[name] { forEachLeaf(inner, at: path.dropFirst(), body) }
    default: if path.isEmpty { body(value) }
    }
  }
}
