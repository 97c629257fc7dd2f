// Initialisations take turns, so that hundreds of cold starts at once neither starve the functions that are warm nor
// use up each other's time limits. The shell around InitialisationQueue.swift; see docs/scaling.md.
import Glibc
import MartletCore
import NIOCore
import NIOPosix
import Synchronization

package final class InitialisationGate: Sendable {
  private typealias Queue = InitialisationQueue<FunctionKey, @Sendable (InitialisationTurn) -> Void>

  private struct State {
    var queue: Queue
    /// Somebody is letting others in, and will see to it that nobody is forgotten.
    var isOpening = false
    var isTicking = false
  }

  /// How long an initialisation may keep others waiting. What takes longer waits for something itself, as a rule.
  private static let patience: UInt64 = 100_000_000
  /// How often it is looked whether processors are idle, while somebody waits.
  private static let interval = TimeAmount.milliseconds(4)

  private let world: any World
  private let state: Mutex<State>
  private let idleProcessors: @Sendable () -> Int

  /// - Parameters:
  ///   - slots: how many may initialise at once while every processor is at work.
  ///   - idleProcessors: how many have nothing to do at the moment.
  package init(
    slots: Int, world: any World, idleProcessors: @escaping @Sendable () -> Int = InitialisationGate.idleProcessors
  ) {
    self.world = world
    self.idleProcessors = idleProcessors
    state = Mutex(State(queue: Queue(slots: max(1, slots))))
  }

  /// What of it is worth a look: how many have a slot, how many wait, and how many had to wait since the start.
  package var census: (running: Int, waiting: Int, delayed: Int) {
    let census = state.withLock { $0.queue.census }
    return (census.running, census.waiting, census.delayed)
  }

  /// A turn, if there is one at once.
  func enter() -> InitialisationTurn? {
    let now = world.monotonic()
    return state.withLock { $0.queue.enter(at: now) }.map { InitialisationTurn(gate: self, number: $0) }
  }

  /// Calls `body` with a turn when it has come, perhaps at once. Who has no use for it any more lets go of it.
  func wait(_ lane: FunctionKey, _ body: @escaping @Sendable (InitialisationTurn) -> Void) {
    state.withLock { $0.queue.wait(body, in: lane) }
    open()
    tickLater()
  }

  fileprivate func leave(_ turn: UInt64) {
    let isWaitedFor = state.withLock { state in
      state.queue.leave(turn)
      return !state.queue.isEmpty
    }
    if isWaitedFor { open() }
  }

  /// Lets in whoever may go. Whoever comes back here meanwhile leaves the rest to the first.
  private func open() {
    let isFirst = state.withLock { state in
      defer { state.isOpening = true }
      return !state.isOpening
    }
    guard isFirst else { return }
    while true {
      let now = world.monotonic()
      let next = state.withLock { state in
        let next = state.queue.next(at: now)
        if next == nil { state.isOpening = false }
        return next
      }
      guard let next else { return }
      next.entry(InitialisationTurn(gate: self, number: next.turn))
    }
  }

  private func tickLater() {
    let isNeeded = state.withLock { state in
      guard !state.isTicking, !state.queue.isEmpty else { return false }
      state.isTicking = true
      return true
    }
    guard isNeeded else { return }
    let eventLoop = MultiThreadedEventLoopGroup.currentEventLoop ?? MultiThreadedEventLoopGroup.singleton.next()
    eventLoop.scheduleTask(in: InitialisationGate.interval) { self.tick() }
  }

  private func tick() {
    let (now, idle) = (world.monotonic(), idleProcessors())
    state.withLock { state in
      state.isTicking = false
      state.queue.timePassed(now, patience: InitialisationGate.patience, idle: idle)
    }
    open()
    tickLater()
  }

  // MARK: - The host's processors

  /// By what the kernel says is running: `0.20 0.18 0.12 1/80 11206`, whoever reads this included. 0 where it says
  /// nothing.
  package static func idleProcessors() -> Int {
    let descriptor = Glibc.open("/proc/loadavg", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    let text = String(unsafeUninitializedCapacity: 128) { max(0, Glibc.read(descriptor, $0.baseAddress, $0.count)) }
    return running(text).map { processors - max(0, $0 - 1) } ?? 0
  }

  /// Tasks that have a processor or want one.
  static func running(_ text: String) -> Int? {
    text.split(separator: " ").dropFirst(3).first?.split(separator: "/").first.flatMap { Int($0) }
  }

  /// Those that this process may use.
  package static let processors = System.coreCount
}

/// The right to initialise now. It is given back when nobody has it any more.
package final class InitialisationTurn: Sendable {
  private let gate: InitialisationGate
  private let number: UInt64

  fileprivate init(gate: InitialisationGate, number: UInt64) {
    self.gate = gate
    self.number = number
  }

  deinit { gate.leave(number) }
}
