// The rules of all buses as events meet them: enabled, compiled, and found by the source that they want.
import MartletCore
import MartletWire
import Synchronization

/// A rule that events can match.
struct LiveRule: Sendable {
  let rule: EventRule
  let pattern: EventPattern
  let targets: [PreparedTarget]

  /// nil of a rule that no event matches.
  init?(_ rule: EventRule) {
    guard rule.isEnabled, let pattern = rule.pattern.flatMap({ try? EventPattern($0, .rules) }) else { return nil }
    self.rule = rule
    self.pattern = pattern
    targets = rule.targets.map { PreparedTarget($0) }
  }
}

/// The rules of one bus. Those that demand one of several sources are looked at only for events of these.
struct BusRules: Sendable {
  private var rules: [String: LiveRule] = [:]
  private var bySource: [String: Set<String>] = [:]
  private var ofAnySource: Set<String> = []

  var isEmpty: Bool { rules.isEmpty }

  mutating func put(_ name: String, _ rule: LiveRule?) {
    if let old = rules.removeValue(forKey: name) {
      if let sources = old.pattern.texts(of: "source") {
        for source in sources {
          bySource[source]?.remove(name)
          if bySource[source]?.isEmpty == true { bySource[source] = nil }
        }
      } else {
        ofAnySource.remove(name)
      }
    }
    guard let rule else { return }
    rules[name] = rule
    if let sources = rule.pattern.texts(of: "source") {
      for source in sources { bySource[source, default: []].insert(name) }
    } else {
      ofAnySource.insert(name)
    }
  }

  /// The rules that an event matches, in the order of their names.
  func matching(_ event: JSONValue) -> [LiveRule] {
    let source = event["source"]?.string ?? ""
    return [bySource[source] ?? [], ofAnySource].flatMap { $0 }.compactMap { rules[$0] }
      .filter { $0.pattern.matches(event) }.sorted { $0.rule.key.name < $1.rule.key.name }
  }
}

/// All of them, which follow the catalogue.
final class RuleTable: Sendable {
  private let buses = Mutex<[ResourceKey: BusRules]>([:])

  /// A rule was made, changed or deleted.
  func heard(_ before: EventRule?, _ after: EventRule?) {
    guard let id = (after ?? before)?.id else { return }
    let live = after.flatMap { LiveRule($0) }
    buses.withLock { buses in
      buses[id.bus, default: BusRules()].put(id.name, live)
      if buses[id.bus]?.isEmpty == true { buses[id.bus] = nil }
    }
  }

  func rules(of bus: ResourceKey) -> BusRules? { buses.withLock { $0[bus] } }
}

extension EventPattern {
  /// The texts of which the pattern demands one in a field of the event; nil if it says anything else of it.
  func texts(of name: String) -> [String]? {
    for case .leaf(let matches) in fields.filter({ $0.name == name }).map(\.rule) {
      let texts = matches.compactMap { match in if case .equals(.string(let text)) = match { text } else { nil } }
      return texts.count == matches.count ? texts : nil
    }
    return nil
  }
}
