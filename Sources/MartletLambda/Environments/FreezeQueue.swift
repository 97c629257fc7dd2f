// Environments that are frozen when nobody has invoked them for a moment, in the order in which they became free. One
// timer serves all that live on an event loop: under load they are free for less than that moment, and a timer for
// each of them would cost more than what they do.
import MartletCore
import MartletSandbox
import NIOCore
import Synchronization

/// The queues of all event loops.
package final class FreezeQueues: Sendable {
  private let delay: Duration
  private let world: any World
  private let queues = Mutex<[ObjectIdentifier: FreezeQueue]>([:])

  /// - Parameter delay: how long an environment is free before it is frozen; half as long again at most.
  init(delay: Duration, world: any World) {
    self.delay = delay
    self.world = world
  }

  func queue(for eventLoop: any EventLoop) -> FreezeQueue {
    queues.withLock { queues in
      if let queue = queues[ObjectIdentifier(eventLoop)] { return queue }
      let queue = FreezeQueue(eventLoop, delay: delay, world: world)
      queues[ObjectIdentifier(eventLoop)] = queue
      return queue
    }
  }
}

final class FreezeQueue: Sendable {
  private struct State {
    var waiting = CircularBuffer<(environment: Environment, moment: UInt64)>()
    var hasTimer = false
  }

  private let eventLoop: any EventLoop
  private let delay: UInt64
  private let world: any World
  private let state: NIOLoopBoundBox<State>

  init(_ eventLoop: any EventLoop, delay: Duration, world: any World) {
    self.eventLoop = eventLoop
    self.delay = delay.nanoseconds
    self.world = world
    state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: eventLoop)
  }

  /// Freezes the environment when it has been free for the delay, unless its `freezeAt` is another moment by then.
  /// To be called on the event loop.
  /// - Returns: that moment.
  func add(_ environment: Environment) -> UInt64 {
    let moment = world.monotonic() &+ delay
    state.value.waiting.append((environment, moment))
    if !state.value.hasTimer { look(in: delay) }
    return moment
  }

  private func look(in time: UInt64) {
    state.value.hasTimer = true
    eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(time))) { self.fire() }
  }

  private func fire() {
    state.value.hasTimer = false
    let now = world.monotonic()
    while let (environment, moment) = state.value.waiting.first, moment <= now {
      state.value.waiting.removeFirst()
      environment.freeze(at: moment)
    }
    if let next = state.value.waiting.first { look(in: max(delay / 2, next.moment &- now)) }
  }
}

extension Environment {
  fileprivate func freeze(at moment: UInt64) {
    let live = live.value
    guard live.freezeAt == moment else { return }
    live.freezeAt = nil
    guard live.machine.isParked, !live.isFrozen, let resources = live.resources, resources.canFreeze else { return }
    live.isFrozen = true
    resources.freeze()
    live.telemetry?.pause(true)
  }
}
