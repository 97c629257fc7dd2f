// "Wake me at T": timers by the time of the world, so that moving its clock makes what is due happen at once, in order.
import Synchronization

/// Retries, delays, visibility, schedules: all that happens later is an alarm here. See docs/clock.md.
package final class Alarms: Sendable {
  /// Names an alarm that was set.
  package struct Alarm: Hashable, Sendable, Comparable {
    fileprivate let due: Timestamp
    fileprivate let number: UInt64

    /// What is due first comes first; of what is due together, what was set first.
    package static func < (a: Alarm, b: Alarm) -> Bool { a.due == b.due ? a.number < b.number : a.due < b.due }
  }

  fileprivate struct State {
    var bodies: [Alarm: @Sendable () -> Void] = [:]
    /// With alarms that were cancelled meanwhile.
    var heap = Heap<Alarm>()
    var number: UInt64 = 0
    /// When the timer will fire that is set for the earliest alarm; nil = none is set.
    var timer: Timestamp?
    /// Work that alarms began, or that may set some.
    var busy = 0
    var waiters: [(number: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    /// A move of the clock is under way, and others wait for their turn.
    var isMoving = false
    var movers: [CheckedContinuation<Void, Never>] = []
  }

  package let world: MovableWorld
  private let wake: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void
  private let state = Mutex(State())

  /// The longest that a timer runs before the clock is looked at again, because the host's clock may be set.
  private static let longest = Duration.seconds(60)

  /// - Parameter wake: calls its second argument once, after the first has passed in real time.
  package init(
    world: MovableWorld, wake: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void
  ) {
    self.world = world
    self.wake = wake
  }

  // MARK: - Setting

  /// Calls `body` once the clock of the world is at `moment` or later. `body` must only take notice and not wait; what
  /// it begins is counted with `begin` and `end`.
  @discardableResult
  package func set(at moment: Timestamp, _ body: @escaping @Sendable () -> Void) -> Alarm {
    let alarm = state.withLock { state in
      state.number += 1
      let alarm = Alarm(due: moment, number: state.number)
      state.bodies[alarm] = body
      state.heap.insert(alarm)
      return alarm
    }
    arm()
    return alarm
  }

  /// An alarm that has rung already, or is ringing, is nobody's business any more.
  package func cancel(_ alarm: Alarm) { state.withLock { $0.bodies[alarm] = nil } }

  /// When the earliest alarm is due.
  package var next: Timestamp? { state.withLock { $0.next?.due } }

  // MARK: - Work

  /// Says that work has begun which may set alarms: a move of the clock waits for it before it goes on.
  package func begin() { state.withLock { $0.busy += 1 } }

  /// Says that it is over, and that the alarms it needs are set.
  package func end() {
    let waiters = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
      precondition(state.busy > 0, "work ends as often as it begins")
      state.busy -= 1
      guard state.busy == 0 else { return [] }
      defer { state.waiters = [] }
      return state.waiters.map(\.continuation)
    }
    for waiter in waiters { waiter.resume(returning: true) }
  }

  /// Returns when no work is under way.
  /// - Returns: false if it went on for longer than `patience` in real time.
  package func rest(patience: Duration) async -> Bool {
    await withCheckedContinuation { continuation in
      let number = state.withLock { state -> UInt64? in
        guard state.busy > 0 else { return nil }
        state.number += 1
        state.waiters.append((state.number, continuation))
        return state.number
      }
      guard let number else { return continuation.resume(returning: true) }
      wake(patience) { self.giveUp(number) }
    }
  }

  private func giveUp(_ number: UInt64) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).continuation }
    }
    waiter?.resume(returning: false)
  }

  // MARK: - Ringing

  /// Rings what is due, in order.
  /// - Returns: how many alarms rang.
  @discardableResult
  package func ring() -> Int {
    var count = 0
    while let body = state.withLock({ state in state.take(until: world.now()) }) {
      body()
      count += 1
    }
    arm()
    return count
  }

  /// Sets the timer for the earliest alarm unless an earlier one is set; one that fires for nothing is cheap.
  private func arm() {
    let now = world.now()
    let delay = state.withLock { state -> Duration? in
      guard let due = state.next?.due else { return nil }
      if let timer = state.timer, timer <= due { return nil }
      let delay = min(due - now, Alarms.longest)
      state.timer = now + delay
      return max(delay, .zero)
    }
    guard let delay else { return }
    wake(delay) {
      self.state.withLock { $0.timer = nil }
      self.ring()
    }
  }

  // MARK: - Moving the clock

  /// What came of a move.
  package struct Move: Sendable {
    package let now: Timestamp
    /// Alarms that rang.
    package let rang: Int
    /// False if work went on for longer than the caller wanted to wait.
    package let isSettled: Bool
  }

  /// Moves the clock forward from one alarm to the next. At each step it stands still until the work that the alarm
  /// began is over, so that what this sets is rung too if it falls within the move, and at its own time.
  /// - Parameters:
  ///   - target: where the clock shall be, told where it is when nothing is under way.
  ///   - patience: in real time, for all the work together; when it is over, the steps go on without waiting.
  package func move(
    patience: Duration, to target: @Sendable (_ now: Timestamp) -> Timestamp
  ) async -> Move {
    await turn()
    defer { pass() }
    let deadline = world.monotonic() &+ UInt64(max(0, patience.inNanoseconds))
    func rested() async -> Bool {
      let left = Int64(bitPattern: deadline &- world.monotonic())
      return await rest(patience: .nanoseconds(max(0, left)))
    }
    var isSettled = await rested()
    let end = target(world.hold(at: Timestamp(nanoseconds: .min)))
    var rang = 0
    while let due = next, due <= end {
      world.hold(at: due)
      rang += ring()
      isSettled = await rested()
    }
    world.hold(at: end)
    world.release()
    // The timer was set for a time that is over.
    state.withLock { $0.timer = nil }
    arm()
    return Move(now: world.now(), rang: rang, isSettled: isSettled)
  }

  /// One move after the other.
  private func turn() async {
    await withCheckedContinuation { continuation in
      let now = state.withLock { state in
        if state.isMoving { state.movers.append(continuation) }
        defer { state.isMoving = true }
        return !state.isMoving
      }
      if now { continuation.resume() }
    }
  }

  private func pass() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.movers.isEmpty {
        state.isMoving = false
        return nil
      }
      return state.movers.removeFirst()
    }
    next?.resume()
  }
}

extension Alarms.State {
  /// The earliest alarm that still stands.
  fileprivate var next: Alarms.Alarm? {
    mutating get {
      while let first = heap.first {
        if bodies[first] != nil { return first }
        heap.removeFirst()
      }
      return nil
    }
  }

  fileprivate mutating func take(until now: Timestamp) -> (@Sendable () -> Void)? {
    guard let first = next, first.due <= now else { return nil }
    heap.removeFirst()
    return bodies.removeValue(forKey: first)
  }
}

extension Alarms {
  /// Work as a thing that is handed on: it begins when it is made, and is over when somebody says so, or when nobody
  /// holds it any more.
  package final class Work: Sendable {
    private let alarms: Alarms
    private let isOver = Atomic<Bool>(false)

    package init(_ alarms: Alarms) {
      self.alarms = alarms
      alarms.begin()
    }

    package func end() {
      if !isOver.exchange(true, ordering: .relaxed) { alarms.end() }
    }

    deinit { end() }
  }
}
