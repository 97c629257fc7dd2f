// Where an invocation runs: in an environment that is free, or in a new one. The only file of the line that several
// nodes would change: it may then answer with a lease on another node.
import Logging
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

package final class Placement: Sendable {
  private let parts: EnvironmentParts
  private let group: MultiThreadedEventLoopGroup
  private let idleTimeout: Duration
  private let pools = Mutex(Pools())
  /// How fast functions grow. Those that have not grown of late are not here.
  private let growth = Mutex<[FunctionKey: TokenBucket]>([:])
  private let memory: HostMemoryGate?
  private let evictions = Atomic(0)

  /// Why there is no lease.
  package enum Refusal: Error {
    case throttled(ThrottleReason)
    /// This host cannot run the version.
    case impossible(AWSError)
  }

  /// By the incarnation of their versions; where tenants are isolated, each has a pool of its own.
  private struct Pools {
    var common: [RequestID: EnvironmentPool] = [:]
    var ofTenants: [TenantKey: EnvironmentPool] = [:]
    /// Of environments that are made to see whether a version initialises.
    var trials: [ObjectIdentifier: EnvironmentPool] = [:]
    /// Not taken from any more; their figures are not told yet.
    var former: [EnvironmentPool] = []
    /// Versions and tenants of which there were environments. Where there are too many, all are forgotten.
    var started: Set<VersionKey> = []
    var tenants: Set<TenantKey> = []
    /// Bytes that environments of functions have used of which there are no more, or other versions.
    var usualMemory: [FunctionKey: Int] = [:]
    static let most = 100_000

    var all: [EnvironmentPool] { Array(common.values) + Array(ofTenants.values) }

    mutating func forget(_ pool: EnvironmentPool) {
      former.append(pool)
      if let memory = pool.usualMemory {
        if usualMemory.count == Pools.most { usualMemory = [:] }
        usualMemory[FunctionKey(place: pool.version.place, name: pool.version.name)] = memory
      }
      let incarnation = pool.version.incarnation
      if let tenant = pool.tenant {
        let key = TenantKey(incarnation: incarnation, tenant: tenant)
        if ofTenants[key] === pool { ofTenants[key] = nil }
        if tenants.count == Pools.most { tenants = [] }
        tenants.insert(key)
      } else if common[incarnation] === pool {
        common[incarnation] = nil
      }
    }
  }

  private struct VersionKey: Hashable {
    let function: FunctionKey
    let version: VersionName
  }

  private let began: Timestamp
  /// The numbers that the next version of each function had when the server was started.
  private let versionsAtStart: [FunctionKey: Int]

  /// - Parameters:
  ///   - idleTimeout: how long an environment is kept without work.
  ///   - versionsAtStart: the number of each function's next version.
  package init(
    parts: EnvironmentParts, group: MultiThreadedEventLoopGroup, idleTimeout: Duration,
    versionsAtStart: [FunctionKey: Int] = [:]
  ) {
    began = parts.world.now()
    self.versionsAtStart = versionsAtStart
    self.parts = parts
    memory = parts.memory.map { HostMemoryGate($0, reserve: parts.limits.memoryReserve) }
    self.group = group
    self.idleTimeout = idleTimeout
    parts.functionZygotes?.connect(parts)
    parts.snapshots?.connect(
      Snapshots.Hands(
        initialise: { [weak self] version in self?.tryOut(version, forSnapshot: true) { _ in } },
        setup: { parts.setup(of: $0) }))
  }

  /// False where environments have no root of their own, which an image needs.
  var canRunImages: Bool { parts.sandboxes.hasOwnRoot }

  package func place(
    _ resolved: Resolved, _ permit: consuming Permit, _ tenant: String? = nil
  ) async throws(Refusal) -> Lease {
    let pool = pool(of: resolved, tenant)
    if let environment = pool.take() { return Lease(environment: environment, permit: permit) }
    let eventLoop = self.eventLoop
    if let environment = await pool.takeSoon(on: eventLoop) {
      return Lease(environment: environment, permit: permit)
    }
    return try await grow(resolved.configuration, in: pool, on: eventLoop, permit)
  }

  /// One more environment on demand, or one that becomes free while it waits for its turn.
  private func grow(
    _ version: FunctionConfiguration, in pool: EnvironmentPool, on eventLoop: any EventLoop,
    _ permit: consuming Permit
  ) async throws(Refusal) -> Lease {
    do throws(AWSError) { try await seeToCode(of: version) } catch { throw .impossible(error) }
    guard mayGrow(version) else { throw .throttled(.scalingRate) }
    var turn: InitialisationTurn?
    if let gate = parts.gate {
      switch await pool.takeOrStart(gate) {
      case .free(let environment):
        hasNotGrown(version)
        return Lease(environment: environment, permit: permit)
      case .turn(let given): turn = given
      case .nothing: break
      }
    }
    guard hasRoom(for: pool) else { throw .throttled(.hostMemory) }
    let environment: Environment
    do throws(AWSError) {
      environment = try Environment(
        version, parts: parts, eventLoop: eventLoop, pool: pool,
        origin: pool.reasonToStart() ?? firstReason(version, pool.tenant))
    } catch {
      throw .impossible(error)
    }
    pool.add(environment, now: parts.world.monotonic())
    environment.start(turn)
    if version.environmentConcurrency != nil { pool.serveWaiters() }
    return Lease(environment: environment, permit: permit)
  }

  /// False while what was removed from under the server is not unpacked again.
  func hasCode(of version: FunctionConfiguration) -> Bool { version.image != nil || parts.packages.isReady(version) }

  /// Unpacks what was removed: whoever looks for that at the server's start may not have come to it yet.
  func seeToCode(of version: FunctionConfiguration) async throws(AWSError) {
    if hasCode(of: version) { return }
    do throws(Fault) { try await parts.packages.ensureReady(version) } catch {
      throw .service("the code of \(version.name) is lost: \(error)")
    }
  }

  /// Counts one more environment of a function on demand. False if it got too many of late.
  private func mayGrow(_ version: FunctionConfiguration) -> Bool {
    guard let limit = growthLimit(version) else { return true }
    let now = parts.world.monotonic()
    return growth.withLock {
      $0[FunctionKey(place: version.place, name: version.name), default: TokenBucket()].take(limit, now: now)
    }
  }

  /// It needed none after all.
  private func hasNotGrown(_ version: FunctionConfiguration) {
    guard let limit = growthLimit(version) else { return }
    growth.withLock { $0[FunctionKey(place: version.place, name: version.name)]?.giveBack(limit) }
  }

  private func growthLimit(_ version: FunctionConfiguration) -> RateLimit? {
    guard let rate = parts.limits.scalingRate, version.debugging == nil, !version.hasCapacityProvider else {
      return nil
    }
    return RateLimit(rate, per: parts.limits.scalingPeriod)
  }

  /// What it means that an environment is the first of its pool.
  private func firstReason(_ version: FunctionConfiguration, _ tenant: String?) -> ColdStartReason {
    if version.debugging != nil { return .debugging }
    if let tenant {
      let key = TenantKey(incarnation: version.incarnation, tenant: tenant)
      return pools.withLock { $0.tenants.contains(key) } ? .expired : .newTenant
    }
    let key = VersionKey(function: FunctionKey(place: version.place, name: version.name), version: version.version)
    let isFirst = pools.withLock { pools in
      if pools.started.count == Pools.most { pools.started = [] }
      return pools.started.insert(key).inserted
    }
    if isFirst, version.lastModified < began, let next = versionsAtStart[key.function],
      version.version.number.map({ $0 < next }) ?? true
    {
      return .serverStart
    }
    return version.version.number == nil ? .newCode : .newVersion
  }

  /// The caller's event loop if it is on one, so that nobody has to hop.
  var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.currentEventLoop ?? group.next() }

  // MARK: - Provisioned concurrency

  /// An environment that stays until it is released. The caller starts it.
  func provision(
    _ version: FunctionConfiguration, fate: @escaping @Sendable (Environment, Environment.Fate) -> Void
  ) throws(AWSError) -> Environment {
    let pool = pool(of: version)
    guard hasRoom(for: pool) else { throw .throttled(.hostMemory) }
    let environment = try Environment(
      version, parts: parts, eventLoop: group.next(), pool: pool, origin: .provisioned, fate: fate)
    pool.add(environment, now: parts.world.monotonic(), isPrepared: true)
    return environment
  }

  /// Gives up an environment that was provisioned; one that is at work finishes first.
  func release(_ environment: Environment) { environment.release() }

  /// Environments of a version that are provisioned and initialised.
  func provisionedCount(_ version: FunctionConfiguration) -> Int {
    pools.withLock { $0.common[version.incarnation] }?.provisionedCount ?? 0
  }

  // MARK: - SnapStart

  /// Initialises a version once. Returns why that failed; nil if it did not.
  package func tryOut(_ version: FunctionConfiguration) async -> StateReason? {
    await withCheckedContinuation { (continuation: CheckedContinuation<StateReason?, Never>) in
      tryOut(version, forSnapshot: false) { continuation.resume(returning: $0) }
    }
  }

  private func tryOut(
    _ version: FunctionConfiguration, forSnapshot: Bool, _ told: @escaping @Sendable (StateReason?) -> Void
  ) {
    let pool = EnvironmentPool(version)
    pools.withLock { pools in
      pools.trials = pools.trials.filter { !$0.value.isEmpty }
      pools.trials[ObjectIdentifier(pool)] = pool
    }
    do throws(AWSError) {
      let environment = try Environment(
        version, parts: parts, eventLoop: group.next(), pool: pool, origin: .newVersion,
        trial: Environment.Trial(isForSnapshot: forSnapshot) { failure in told(failure.map { StateReason($0) }) })
      pool.add(environment, now: parts.world.monotonic())
      environment.start()
    } catch {
      told(StateReason(text: error.message, code: "InternalError"))
    }
  }

  // MARK: - Memory

  /// Who initialises and who waits for its turn; nil if nobody has to.
  package var initialisations: (running: Int, waiting: Int, delayed: Int)? { parts.gate?.census }

  /// How many environments were removed for want of the host's memory.
  package var evictionCount: Int { evictions.load(ordering: .relaxed) }

  /// Sees to it that the host has memory for one more environment. False if it has not: then nothing has changed.
  private func hasRoom(for pool: EnvironmentPool) -> Bool {
    guard let memory else { return true }
    let now = parts.world.monotonic()
    let key = FunctionKey(place: pool.version.place, name: pool.version.name)
    let bytes =
      pool.usualMemory ?? pools.withLock { $0.usualMemory[key] }
      ?? min(ByteCount.mebibytes(pool.version.memorySize), parts.limits.unknownMemory).bytes
    // Who is greedy is worth a look only where it matters.
    var missing = memory.missing(bytes, isGreedy: true, now: now)
    if missing > 0 {
      parts.stemCells?.giveUp()
      parts.snapshots?.giveUp()
      parts.functionZygotes?.giveUp()
      let (isGreedy, isOnly) = share(of: pool.version)
      if !isOnly, !isGreedy { missing = memory.missing(bytes, isGreedy: false, now: now) }
      if !isOnly, missing > 0, !evict(missing, now: now) { return false }
    }
    memory.started(bytes, now: now)
    return true
  }

  /// Whether a function has more than its share of the environments, and whether there are none at all.
  private func share(of version: FunctionConfiguration) -> (isGreedy: Bool, isOnly: Bool) {
    var alive: [FunctionKey: Int] = [:]
    for (version, count, _) in censusByVersion where count > 0 {
      alive[FunctionKey(place: version.place, name: version.name), default: 0] += count
    }
    let all = alive.values.reduce(0, +)
    let own = alive[FunctionKey(place: version.place, name: version.name)] ?? 0
    return (own > 1 && own * alive.count > all, all == 0)
  }

  /// Removes idle environments that use so many bytes together, those that are expected to be used least first.
  /// - Parameter orLess: as many as there are, if all are too few.
  /// - Returns: false if they were too few.
  @discardableResult
  private func evict(_ bytes: Int, now: UInt64, orLess: Bool = false) -> Bool {
    let idle = pools.withLock { $0.all }.flatMap { pool in
      pool.idle.map { (pool: pool, environment: $0.environment, since: $0.since) }
    }
    // The oldest of them only: each has to be asked what it uses.
    let candidates = idle.sorted { Int64(bitPattern: $0.since &- $1.since) < 0 }.prefix(Placement.mostEvicted).map {
      MemoryAdmission.Idle(environment: $0, bytes: $0.environment.memory?.bytes ?? 0, age: now &- $0.since)
    }
    var won = 0
    for chosen in MemoryAdmission.evict(candidates, for: bytes, orLess: orLess)
    where chosen.environment.pool.evict(chosen.environment.environment) {
      chosen.environment.environment.remove()
      memory?.removed(chosen.bytes, now: now)
      won += chosen.bytes
      evictions.add(1, ordering: .relaxed)
    }
    return won >= bytes
  }

  /// At once.
  private static let mostEvicted = 64

  // MARK: - Idle environments

  /// Removes what has been idle for too long, and the environments of versions that are no more.
  /// - Parameter isCurrent: whether a version still is what its function runs under its name.
  package func sweep(isCurrent: (FunctionConfiguration) -> Bool) {
    let now = parts.world.monotonic()
    growth.withLock { growth in
      if growth.contains(where: { $0.value.isFull(now) }) { growth = growth.filter { !$0.value.isFull(now) } }
    }
    if let memory, case let missing = memory.missing(0, isGreedy: false, now: now), missing > 0 {
      Allocator.giveBack()
      parts.stemCells?.giveUp()
      parts.snapshots?.giveUp()
      parts.functionZygotes?.giveUp()
      evict(missing, now: now, orLess: true)
    }
    parts.snapshots?.tick(isCurrent: isCurrent)
    parts.functionZygotes?.tick(isCurrent: isCurrent)
    parts.stemCells?.tick(isCurrent: isCurrent)
    let oldest = now &- idleTimeout.nanoseconds
    for pool in self.pools.withLock({ $0.all }) {
      if isCurrent(pool.version) {
        for environment in pool.removeIdle(since: oldest) { environment.remove() }
        // Tenants come and go while their function stays.
        if pool.tenant != nil, pool.retireIfEmpty() { self.pools.withLock { $0.forget(pool) } }
      } else {
        for environment in pool.retire() { environment.retire() }
        if pool.isEmpty { self.pools.withLock { $0.forget(pool) } }
      }
    }
  }

  /// Ends all environments. Returns when their extensions are done, or their time is over.
  package func close() async {
    let all = pools.withLock { $0.all + $0.trials.values }
    for pool in all { _ = pool.retire() }
    await withTaskGroup(of: Void.self) { group in
      for environment in all.flatMap(\.members) { group.addTask { await environment.end() } }
    }
  }

  /// Removes the environments of a debugging session, also those at work: at a breakpoint they would be it for ever.
  func removeEnvironments(of session: DebugSession) {
    for pool in pools.withLock({ $0.all }) where pool.version.debugging == session {
      let members = pool.members
      _ = pool.retire()
      for environment in members { environment.remove() }
    }
  }

  /// The packages that environments have mounted.
  package var packagesInUse: Set<String> {
    Set(pools.withLock { $0.all + $0.trials.values }.flatMap { $0.members.flatMap(\.configuration.packageKeys) })
  }

  /// Takes out the figures of all versions since the last time.
  func takeLoads() -> [EnvironmentPool.Load] {
    let all = pools.withLock { pools in
      defer { pools.former.removeAll { $0.isEmpty } }
      return pools.all + pools.former
    }
    return all.compactMap { $0.takeLoad() }
  }

  /// Of each version that has environments: how many are alive, and how many of them have no work.
  package var censusByVersion: [(version: FunctionConfiguration, alive: Int, idle: Int)] {
    pools.withLock { $0.all }.map { pool in
      let (alive, idle) = pool.census
      return (pool.version, alive, idle)
    }
  }

  /// Environments alive, and how many of them have no work.
  package var census: (alive: Int, idle: Int) {
    pools.withLock { $0.all }.reduce(into: (0, 0)) { sum, pool in
      let (alive, idle) = pool.census
      sum = (sum.0 + alive, sum.1 + idle)
    }
  }

  private func pool(of resolved: Resolved, _ tenant: String?) -> EnvironmentPool {
    if let tenant { return pool(of: resolved.configuration, tenant) }
    let incarnation = resolved.configuration.incarnation
    if let pool = pools.withLock({ $0.common[incarnation] }), !pool.isRetired { return pool }
    return pool(of: resolved.configuration)
  }

  private func pool(of version: FunctionConfiguration) -> EnvironmentPool {
    pools.withLock { pools in
      if let pool = pools.common[version.incarnation], !pool.isRetired { return pool }
      if let retired = pools.common[version.incarnation] { pools.former.append(retired) }
      let pool = EnvironmentPool(version)
      pools.common[version.incarnation] = pool
      return pool
    }
  }

  private func pool(of version: FunctionConfiguration, _ tenant: String) -> EnvironmentPool {
    let key = TenantKey(incarnation: version.incarnation, tenant: tenant)
    return pools.withLock { pools in
      if let pool = pools.ofTenants[key], !pool.isRetired { return pool }
      if let retired = pools.ofTenants[key] { pools.former.append(retired) }
      let pool = EnvironmentPool(version, tenant: tenant)
      pools.ofTenants[key] = pool
      return pool
    }
  }
}

/// The right to run one invocation in one environment.
package struct Lease: ~Copyable {
  let environment: Environment
  private let permit: Permit

  init(environment: Environment, permit: consuming Permit) {
    self.environment = environment
    self.permit = permit
  }

  /// What came of a lease.
  enum Outcome: ~Copyable {
    case reply(Reply)
    /// The environment died before the invocation could begin; nothing has run.
    case lost(Permit)
    /// It cannot run, and would not in another environment.
    case refused(AWSError)
  }

  /// The environment keeps the permit until the runtime is back in `/next`, which may be after the reply.
  consuming func run(_ invocation: Invocation) async -> Outcome {
    let environment = self.environment
    return await environment.run(invocation, permit: permit)
  }
}

extension Duration {
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }
}
