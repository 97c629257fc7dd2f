// The environments of one version, and which of them are free. The last one used is the first one taken.
import MartletCore
import NIOCore
import Synchronization

final class EnvironmentPool: Sendable {
  fileprivate struct State {
    /// Where invocations share environments, one that has several places free is here as often.
    var free: [(environment: Environment, since: UInt64)] = []
    /// Free as well, and kept for provisioned concurrency however long they are idle. Taken first.
    var freeProvisioned: [Environment] = []
    /// All environments of provisioned concurrency that are initialised, free or at work.
    var provisioned: Set<ObjectIdentifier> = []
    var alive: [ObjectIdentifier: Environment] = [:]
    /// Have answered, and will be free as soon as their runtime is back in `/next`.
    var expected: Set<ObjectIdentifier> = []
    /// Invocations that wait for one of the expected, no more of them than there are.
    var waiters: [Waiter] = []
    var waiterNumber: UInt64 = 0
    /// How long the last of them took to initialise, in nanoseconds.
    var lastColdStart: UInt64 = 0
    var isRetired = false
    var history = EnvironmentHistory()
    /// Bytes that the one which went last had used.
    var usualMemory: Int?
    /// Of provisioned concurrency, and not initialised yet.
    var preparing: Set<ObjectIdentifier> = []
    /// How many invocations ran at once since somebody asked, and how many of them in provisioned environments.
    var peak = 0
    var provisionedPeak = 0
  }

  /// What the environments have done since somebody asked.
  struct Load {
    let version: FunctionConfiguration
    let entries: [InvocationTally.Entry]
    let late: [InvocationTally.Late]
    let use: BilledUse
    /// Invocations at once, at most.
    let peak: Int
    /// Environments of provisioned concurrency, and how many of them were at work at once.
    let provisioned: Int
    let provisionedPeak: Int
  }

  fileprivate struct Waiter {
    let number: UInt64
    let continuation: CheckedContinuation<Find, Never>
  }

  /// What came of waiting for an environment.
  enum Find: Sendable {
    case free(Environment)
    /// A new one may be started now.
    case turn(InitialisationTurn)
    /// There is none, and nobody knows when there will be.
    case nothing
  }

  /// What all of the environments run.
  let version: FunctionConfiguration
  private let state = Mutex(State())
  /// How many invocations share an environment; nil: each has one for itself.
  private let places: Int?

  /// The invocations that ended here.
  let tally = Mutex(InvocationTally())

  /// Whose environments they are; nil where tenants are not isolated.
  let tenant: String?

  init(_ version: FunctionConfiguration, tenant: String? = nil) {
    self.version = version
    self.tenant = tenant
    places = version.environmentConcurrency
  }

  /// A new environment, which is its caller's, but for the places that it has for others.
  /// - Parameter isPrepared: it has no work yet, but is made for provisioned concurrency.
  func add(_ environment: Environment, now: UInt64, isPrepared: Bool = false) {
    state.withLock { state in
      state.alive[ObjectIdentifier(environment)] = environment
      if isPrepared {
        state.preparing.insert(ObjectIdentifier(environment))
        state.history.prepared()
      }
      defer { state.notePeak(places) }
      guard let places else { return }
      state.free += repeatElement((environment: environment, since: now), count: places - 1)
    }
  }

  /// Why one more environment is started; nil: it is the first.
  func reasonToStart() -> ColdStartReason? {
    state.withLock { state in
      state.history.next(alive: state.alive.count, provisioned: state.provisioned.count + state.preparing.count)
    }
  }

  /// A free environment; it is nobody else's until it is given back.
  func take() -> Environment? { state.withLock { $0.take(places) } }

  /// The environment has answered: whoever calls again at once shall find it, and not start another.
  func expect(_ environment: Environment) {
    state.withLock { state in
      if state.alive[ObjectIdentifier(environment)] != nil { state.expected.insert(ObjectIdentifier(environment)) }
    }
  }

  /// A new environment has initialised within so many nanoseconds.
  func hasStarted(in duration: UInt64) { state.withLock { $0.lastColdStart = duration } }

  /// An environment that is free, or will be soon; nil if there is none. To wait is worth at most what a cold start
  /// takes: who waits so long and then starts one has spent no more than twice the time of the better choice.
  func takeSoon(on eventLoop: any EventLoop) async -> Environment? {
    let found = await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> (environment: Environment?, number: UInt64?, limit: TimeAmount) in
        if let free = state.take(places) { return (free, nil, .zero) }
        guard state.expected.count > state.waiters.count else { return (nil, nil, .zero) }
        let number = state.wait(continuation)
        return (nil, number, EnvironmentPool.patience(coldStart: state.lastColdStart))
      }
      guard let number = outcome.number else {
        return continuation.resume(returning: outcome.environment.map { .free($0) } ?? .nothing)
      }
      eventLoop.scheduleTask(in: outcome.limit) { self.end(wait: number, with: .nothing) }
    }
    if case .free(let environment) = found { return environment }
    return nil
  }

  /// An environment that has become free, or the turn to start one, whichever comes first.
  func takeOrStart(_ gate: InitialisationGate) async -> Find {
    if let turn = gate.enter() { return .turn(turn) }
    return await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> (environment: Environment?, number: UInt64) in
        if let free = state.take(places) { return (free, 0) }
        return (nil, state.wait(continuation))
      }
      if let free = outcome.environment { return continuation.resume(returning: .free(free)) }
      gate.wait(FunctionKey(place: version.place, name: version.name)) {
        self.end(wait: outcome.number, with: .turn($0))
      }
    }
  }

  /// How long an invocation waits for a runtime that has answered already to come back.
  static func patience(coldStart nanoseconds: UInt64) -> TimeAmount {
    .nanoseconds(Int64(min(max(nanoseconds, 20_000_000), 1_000_000_000)))
  }

  /// Nothing happens if it has ended already.
  private func end(wait number: UInt64, with find: Find) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).continuation }
    }
    waiter?.resume(returning: find)
  }

  /// Gives an environment back. False if it is not wanted any more: then the caller removes it.
  func give(_ environment: Environment, now: UInt64) -> Bool {
    let (isWanted, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Find, Never>?) in
      state.expected.remove(ObjectIdentifier(environment))
      guard !state.isRetired, state.alive[ObjectIdentifier(environment)] != nil else { return (false, nil) }
      if !state.waiters.isEmpty { return (true, state.waiters.removeFirst().continuation) }
      if state.provisioned.contains(ObjectIdentifier(environment)) {
        state.freeProvisioned.append(environment)
      } else {
        state.free.append((environment, now))
      }
      return (true, nil)
    }
    waiter?.resume(returning: .free(environment))
    return isWanted
  }

  /// Who waits gets what is free: a new environment that invocations share has places for others.
  func serveWaiters() {
    while true {
      let next = state.withLock { state -> (Waiter, Environment)? in
        guard !state.waiters.isEmpty, let environment = state.take(places) else { return nil }
        return (state.waiters.removeFirst(), environment)
      }
      guard let (waiter, environment) = next else { return }
      waiter.continuation.resume(returning: .free(environment))
    }
  }

  /// The environment is gone.
  /// - Parameter loss: why, if it did not go because it had been idle.
  func forget(_ environment: Environment, _ loss: ColdStartReason?) {
    let memory = environment.memory?.bytes
    state.withLock { state in
      if let loss { state.history.lost(loss) }
      state.usualMemory = memory ?? state.usualMemory
      state.alive[ObjectIdentifier(environment)] = nil
      state.expected.remove(ObjectIdentifier(environment))
      state.free.removeAll { $0.environment === environment }
      state.freeProvisioned.removeAll { $0 === environment }
      state.provisioned.remove(ObjectIdentifier(environment))
      state.preparing.remove(ObjectIdentifier(environment))
    }
  }

  /// The environment is initialised and stays for provisioned concurrency.
  func keep(_ environment: Environment) {
    state.withLock { state in
      state.preparing.remove(ObjectIdentifier(environment))
      if state.alive[ObjectIdentifier(environment)] != nil { state.provisioned.insert(ObjectIdentifier(environment)) }
    }
  }

  /// The environment is not kept any more. True if it was free: then the caller removes it.
  func unkeep(_ environment: Environment) -> Bool {
    state.withLock { state in
      state.provisioned.remove(ObjectIdentifier(environment))
      guard let index = state.freeProvisioned.firstIndex(where: { $0 === environment }) else { return false }
      state.freeProvisioned.remove(at: index)
      return true
    }
  }

  /// Environments of provisioned concurrency that are initialised, free or at work.
  var provisionedCount: Int { state.withLock { $0.provisioned.count } }

  func isKept(_ environment: Environment) -> Bool {
    state.withLock { $0.provisioned.contains(ObjectIdentifier(environment)) }
  }

  /// Takes out what has been free since before `moment`. The least recently used come first in the list.
  func removeIdle(since moment: UInt64) -> [Environment] {
    state.withLock { state in
      if let places {
        let unused = state.takeUnused(places, since: moment)
        if !unused.isEmpty { state.history.lost(.expired) }
        return unused
      }
      let count = state.free.prefix { Int64(bitPattern: $0.since &- moment) <= 0 }.count
      guard count > 0 else { return [] }
      state.history.lost(.expired)
      defer { state.free.removeFirst(count) }
      return state.free.prefix(count).map(\.environment)
    }
  }

  /// What nobody uses and nobody keeps, and since when.
  var idle: [(environment: Environment, since: UInt64)] {
    state.withLock { state in places.map { state.unused($0) } ?? state.free }
  }

  /// Takes one of these out, to make room. False if somebody has it by now.
  func evict(_ environment: Environment) -> Bool {
    state.withLock { state in
      let isIdle = places.map { state.unused($0) } ?? state.free
      guard isIdle.contains(where: { $0.environment === environment }) else { return false }
      state.free.removeAll { $0.environment === environment }
      state.history.lost(.evicted)
      return true
    }
  }

  /// Bytes that an environment of this version uses, by the example of some; nil if none is known.
  var usualMemory: Int? {
    let (examples, former) = state.withLock { ($0.alive.values.prefix(4).map(\.self), $0.usualMemory) }
    // Some may have no sandbox yet.
    return examples.lazy.compactMap { $0.memory?.bytes }.first ?? former
  }

  /// Takes out everything that is free, and where invocations share environments, all of them; what is at work is not
  /// wanted back.
  func retire() -> [Environment] {
    state.withLock { state in
      state.isRetired = true
      defer {
        state.free = []
        state.freeProvisioned = []
      }
      if places != nil { return Array(state.alive.values) }
      return state.free.map(\.environment) + state.freeProvisioned
    }
  }

  /// Retires a pool of which nothing is alive. An environment that is made in it nevertheless goes after its work.
  func retireIfEmpty() -> Bool {
    state.withLock { state in
      if state.alive.isEmpty { state.isRetired = true }
      return state.isRetired
    }
  }

  /// Takes out the figures since the last time; nil if there are none.
  func takeLoad() -> Load? {
    let (entries, late, use) = tally.withLock { tally in
      let (entries, late) = tally.take()
      return (entries, late, tally.takeUse())
    }
    return state.withLock { state in
      state.notePeak(places)
      defer { (state.peak, state.provisionedPeak) = (0, 0) }
      let isQuiet = entries.isEmpty && late.isEmpty && use.requests == 0 && state.peak == 0
      guard !isQuiet || !state.provisioned.isEmpty else { return nil }
      return Load(
        version: version, entries: entries, late: late, use: use, peak: state.peak,
        provisioned: state.provisioned.count,
        provisionedPeak: state.provisionedPeak)
    }
  }

  var isRetired: Bool { state.withLock { $0.isRetired } }

  var isEmpty: Bool { state.withLock { $0.alive.isEmpty } }

  var members: [Environment] { state.withLock { Array($0.alive.values) } }

  var census: (alive: Int, idle: Int) {
    state.withLock { state in
      if let places { return (state.alive.count, state.unused(places).count) }
      return (state.alive.count, state.free.count + state.freeProvisioned.count)
    }
  }
}

extension EnvironmentPool.State {
  fileprivate mutating func take(_ places: Int?) -> Environment? {
    guard let environment = freeProvisioned.popLast() ?? free.popLast()?.environment else { return nil }
    notePeak(places)
    return environment
  }

  fileprivate mutating func wait(_ continuation: CheckedContinuation<EnvironmentPool.Find, Never>) -> UInt64 {
    waiterNumber += 1
    waiters.append(EnvironmentPool.Waiter(number: waiterNumber, continuation: continuation))
    return waiterNumber
  }

  /// Counts what is at work.
  fileprivate mutating func notePeak(_ places: Int?) {
    peak = max(peak, alive.count * (places ?? 1) - free.count - freeProvisioned.count - preparing.count)
    if !provisioned.isEmpty { provisionedPeak = max(provisionedPeak, provisioned.count - freeProvisioned.count) }
  }

  /// The shared environments that nobody uses, and since when the last of their places is free.
  fileprivate func unused(_ places: Int) -> [(environment: Environment, since: UInt64)] {
    var found: [ObjectIdentifier: (count: Int, since: UInt64)] = [:]
    for (environment, since) in free {
      let before = found[ObjectIdentifier(environment)] ?? (0, since)
      let isLater = Int64(bitPattern: since &- before.since) > 0
      found[ObjectIdentifier(environment)] = (before.count + 1, isLater ? since : before.since)
    }
    return found.compactMap { id, use in
      use.count == places ? alive[id].map { ($0, use.since) } : nil
    }
  }

  fileprivate mutating func takeUnused(_ places: Int, since moment: UInt64) -> [Environment] {
    let old = unused(places).filter { Int64(bitPattern: $0.since &- moment) <= 0 }.map(\.environment)
    free.removeAll { entry in old.contains { $0 === entry.environment } }
    return old
  }
}
