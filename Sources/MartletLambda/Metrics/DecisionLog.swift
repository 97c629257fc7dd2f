// What was decided of a function, and why: how often, and the last times. For `martlet explain`.
import MartletCore
import Synchronization

/// What costs an invocation its answer, or its time.
package enum Decision: Hashable, Sendable {
  case throttle(ThrottleReason)
  case coldStart(ColdStartReason)

  package var reason: String {
    switch self {
    case .throttle(let reason): reason.rawValue
    case .coldStart(let reason): reason.rawValue
    }
  }

  /// For whoever wonders.
  package var words: String {
    switch self {
    case .throttle(let reason): reason.words
    case .coldStart(let reason): reason.words
    }
  }

  package var isThrottle: Bool {
    if case .throttle = self { true } else { false }
  }
}

package struct DecisionLog: Sendable {
  /// The same decision again and again, in a short time.
  package struct Entry: Sendable, Equatable {
    package let decision: Decision
    package let first: Timestamp
    package fileprivate(set) var last: Timestamp
    package fileprivate(set) var count = 1
  }

  /// Since the server was started.
  package private(set) var counts: [Decision: Int] = [:]
  /// The last ones, each in the order of their beginnings.
  package private(set) var throttles: [Entry] = []
  package private(set) var coldStarts: [Entry] = []

  /// Entries of each kind.
  static let most = 16
  /// What follows within the first belongs together, for no longer than the second.
  private static let (gap, span) = (Duration.seconds(1), Duration.seconds(60))

  package init() {}

  package mutating func note(_ decision: Decision, at now: Timestamp) {
    counts[decision, default: 0] += 1
    if decision.isThrottle {
      DecisionLog.note(decision, now, &throttles)
    } else {
      DecisionLog.note(decision, now, &coldStarts)
    }
  }

  private static func note(_ decision: Decision, _ now: Timestamp, _ entries: inout [Entry]) {
    if let index = entries.lastIndex(where: { $0.decision == decision }), now < entries[index].last + gap,
      now < entries[index].first + span
    {
      entries[index].last = now
      entries[index].count += 1
      return
    }
    if entries.count == most { entries.removeFirst() }
    entries.append(Entry(decision: decision, first: now, last: now))
  }
}

extension LambdaMetrics {
  /// An invocation was refused with 429.
  func note(throttle reason: ThrottleReason, of function: FunctionReference) {
    note(.throttles, of: function)
    note(.throttle(reason), function.key)
  }

  /// A runtime is started.
  func note(coldStart reason: ColdStartReason, of version: FunctionConfiguration) {
    note(.coldStart(reason), FunctionKey(place: version.place, name: version.name))
  }

  private func note(_ decision: Decision, _ key: FunctionKey) {
    let now = world.now()
    state.withLock { state in
      state.decisions[key, default: DecisionLog()].note(decision, at: now)
      state.reasons[ReasonCell(function: key, decision: decision, minute: now.seconds / 60), default: 0] += 1
    }
  }

  /// What was decided of a function since the server was started.
  package func decisions(of function: FunctionKey) -> DecisionLog? { state.withLock { $0.decisions[function] } }
}
