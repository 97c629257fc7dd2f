// What became of events since the server was started, rule by rule: so that nothing is dropped without a trace.
import Synchronization

/// The events of one rule.
package struct RuleTally: Sendable, Equatable {
  /// Events that matched it.
  package var matched = 0
  /// Deliveries to targets that were made, of the events that matched times the targets.
  package var delivered = 0
  /// Attempts that failed.
  package var failures = 0
  /// Deliveries that went to a dead-letter queue.
  package var deadLetters = 0
  /// Deliveries that were given up without one.
  package var dropped = 0
  /// What the last attempt that failed was told: the target, a code and a message.
  package var lastFailure: String?
}

final class RuleTallies: Sendable {
  struct State: Sendable {
    /// Events that were put on buses, also by replays and by other buses.
    var accepted = 0
    /// Those of them that no rule matched.
    var unmatched = 0
    /// By ARN.
    var rules: [String: RuleTally] = [:]
  }

  private let state = Mutex(State())

  var all: State { state.withLock { $0 } }

  func accepted(_ rules: [String]) {
    state.withLock { state in
      state.accepted += 1
      if rules.isEmpty { state.unmatched += 1 }
      for rule in rules { state.rules[rule, default: RuleTally()].matched += 1 }
    }
  }

  func note(_ rule: String, _ body: (inout RuleTally) -> Void) {
    state.withLock { body(&$0.rules[rule, default: RuleTally()]) }
  }

  /// The rule was deleted.
  func forget(_ rule: String) { state.withLock { _ = $0.rules.removeValue(forKey: rule) } }
}

extension EventBridgeService {
  /// What became of a rule's events since the server was started.
  package func tally(of rule: EventRule) -> RuleTally { tallies.all.rules[rule.arn] ?? RuleTally() }

  /// Deliveries that wait or are under way.
  package var waiting: Int { outbox.count }

  /// Everything that is counted.
  package var counts: (accepted: Int, unmatched: Int, rules: [(arn: String, tally: RuleTally)]) {
    let all = tallies.all
    return (all.accepted, all.unmatched, all.rules.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 })
  }
}
