// A world whose wall clock can be moved forward, so that a wait of minutes or years can be tested in milliseconds.
import Synchronization

/// Runs ahead of another world by an offset, or stands still while it is being moved. `monotonic` and `hostNow` never
/// move: what is measured, and what others compare with their own clocks, stays true.
package final class MovableWorld: World {
  private struct State {
    /// Nanoseconds ahead of the host.
    var offset: Int64
    /// Where the clock stands while it is moved.
    var held: Timestamp?
  }

  private let base: any World
  private let state: Mutex<State>

  /// - Parameter offset: how far the clock is ahead from the beginning, in nanoseconds.
  package init(_ base: any World = RealWorld(), offset: Int64 = 0) {
    self.base = base
    state = Mutex(State(offset: offset))
  }

  package func now() -> Timestamp {
    state.withLock { state in
      state.held ?? Timestamp(nanoseconds: base.hostNow().nanoseconds + state.offset)
    }
  }

  package func hostNow() -> Timestamp { base.hostNow() }
  package func monotonic() -> UInt64 { base.monotonic() }
  package func random() -> UInt64 { base.random() }

  /// How far the clock is ahead of the host's, in nanoseconds.
  package var offset: Int64 {
    let host = base.hostNow().nanoseconds
    return state.withLock { state in state.held.map { $0.nanoseconds - host } ?? state.offset }
  }

  /// Stops the clock at `moment`, or where it stands if that is later.
  /// - Returns: where it stands now.
  @discardableResult
  package func hold(at moment: Timestamp) -> Timestamp {
    let host = base.hostNow().nanoseconds
    return state.withLock { state in
      let stood = state.held ?? Timestamp(nanoseconds: host + state.offset)
      let now = max(stood, moment)
      state.held = now
      return now
    }
  }

  /// Lets the clock go on from where it stands; it never falls behind what it would be had it not been stopped.
  package func release() {
    let host = base.hostNow().nanoseconds
    state.withLock { state in
      guard let held = state.held else { return }
      state.offset = max(state.offset, held.nanoseconds - host)
      state.held = nil
    }
  }
}
