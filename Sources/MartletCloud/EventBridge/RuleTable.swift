// The rules of all buses as events meet them: enabled, compiled, and found by the values that they demand.
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

/// The rules of one bus.
struct BusRules: Sendable {
  private var rules: [String: LiveRule] = [:]
  private var index = PatternIndex<String>()

  var isEmpty: Bool { rules.isEmpty }

  mutating func put(_ name: String, _ rule: LiveRule?) {
    rules[name] = rule
    index.put(name, rule?.pattern)
  }

  /// The rules that an event matches, in the order of their names.
  func matching(_ event: JSONValue) -> [LiveRule] { index.matching(event).sorted().compactMap { rules[$0] } }
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
