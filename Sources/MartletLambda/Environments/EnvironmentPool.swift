// The environments of one version, and which of them are free. The last one used is the first one taken.
import Synchronization

final class EnvironmentPool: Sendable {
  private struct State {
    var free: [(environment: Environment, since: UInt64)] = []
    var alive: [ObjectIdentifier: Environment] = [:]
    var isRetired = false
  }

  private let state = Mutex(State())

  func add(_ environment: Environment) { state.withLock { $0.alive[ObjectIdentifier(environment)] = environment } }

  /// A free environment; it is nobody else's until it is given back.
  func take() -> Environment? { state.withLock { $0.free.popLast()?.environment } }

  /// Gives an environment back. False if it is not wanted any more: then the caller removes it.
  func give(_ environment: Environment, now: UInt64) -> Bool {
    state.withLock { state in
      guard !state.isRetired, state.alive[ObjectIdentifier(environment)] != nil else { return false }
      state.free.append((environment, now))
      return true
    }
  }

  /// The environment is gone.
  func forget(_ environment: Environment) {
    state.withLock { state in
      state.alive[ObjectIdentifier(environment)] = nil
      state.free.removeAll { $0.environment === environment }
    }
  }

  /// Takes out what has been free since before `moment`. The least recently used come first in the list.
  func removeIdle(since moment: UInt64) -> [Environment] {
    state.withLock { state in
      let count = state.free.prefix { Int64(bitPattern: $0.since &- moment) <= 0 }.count
      defer { state.free.removeFirst(count) }
      return state.free.prefix(count).map(\.environment)
    }
  }

  /// Takes out everything that is free; what is at work is not wanted back.
  func retire() -> [Environment] {
    state.withLock { state in
      state.isRetired = true
      defer { state.free = [] }
      return state.free.map(\.environment)
    }
  }

  var isEmpty: Bool { state.withLock { $0.alive.isEmpty } }

  var members: [Environment] { state.withLock { Array($0.alive.values) } }

  var census: (alive: Int, idle: Int) { state.withLock { ($0.alive.count, $0.free.count) } }
}
