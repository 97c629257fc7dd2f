// What names of functions meant when they were looked up last. A function's record is large, and copying it out of the
// table costs more than all else that finding a version takes.
import MartletCore
import Synchronization

/// Holds as long as no function changes: then everything is looked up anew.
final class KnownVersions: Sendable {
  private struct State {
    var generation: UInt64 = 0
    var versions: [FunctionReference: Resolved] = [:]
    /// When there are so many of them, all are forgotten.
    static let most = 10_000
  }

  private let state = Mutex(State())

  /// - Parameter generation: of the table, now.
  func find(_ reference: FunctionReference, in generation: UInt64) -> Resolved? {
    state.withLock { $0.generation == generation ? $0.versions[reference] : nil }
  }

  /// - Parameter generation: of the table, from before the version was looked up.
  func note(_ version: Resolved, of reference: FunctionReference, in generation: UInt64) {
    state.withLock { state in
      // Somebody else may have seen a later table.
      guard generation >= state.generation else { return }
      if generation > state.generation || state.versions.count >= State.most { state.versions = [:] }
      state.generation = generation
      state.versions[reference] = version
    }
  }
}
