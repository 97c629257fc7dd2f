// Starts without the start of the function: versions with SnapStart are initialised once, in a process from which their
// environments are forked (docs/snapstart.md). Which there are is decided by the state machines of zygotes and of stem
// cells: a snapshot is a zygote of one version, and an environment that is forked ahead is a stem cell of it. The same
// holds for processes that have only loaded what a version imports (FunctionZygotes.swift).
import Logging
import MartletCore
import MartletSandbox
import Synchronization

package final class Snapshots: Sendable {
  typealias Processes = FastStartStateMachine<RequestID, SandboxID>
  typealias Cells = StemCellsStateMachine<RequestID, StemCell>

  /// How far the processes have come that are forked.
  enum Stage {
    /// The version is initialised (docs/snapstart.md).
    case initialised
    /// It is not, but what it imports of others' packages is loaded (docs/fast-start.md).
    case imports
  }

  /// What makes things; by the incarnation of their versions.
  struct Hands: Sendable {
    /// Initialises a version in a sandbox that can be forked, and says later what came of it.
    let initialise: @Sendable (FunctionConfiguration) -> Void
    /// What an environment of a version is made of; nil where that is not possible.
    let setup: @Sendable (FunctionConfiguration) -> EnvironmentSetup?
  }

  /// An environment that is forked already, and what it was made of.
  struct Prepared: Sendable {
    let cell: StemCell
    let setup: EnvironmentSetup
  }

  /// Of what version a snapshot is, and how it is ended.
  fileprivate struct Owner {
    let key: RequestID
    let end: @Sendable () -> Void
  }

  fileprivate struct State {
    var processes: Processes
    var cells: Cells
    var versions: [RequestID: FunctionConfiguration] = [:]
    /// Whose sandboxes the snapshots are.
    var owners: [SandboxID: Owner] = [:]
    var setups: [StemCell: EnvironmentSetup] = [:]
    /// Versions of which no snapshot can be taken, or none that is any good, and why; nil: nobody would expect one.
    /// Too many: all are forgotten.
    var unfit: [RequestID: String?] = [:]
  }

  private let sandboxes: any SandboxHost
  private let world: any World
  private let log: Logger
  private let state: Mutex<State>
  private let hands = Mutex<Hands?>(nil)
  fileprivate static let mostUnfit = 10_000
  /// Mebibytes of the host's memory that a fork that waits takes (`Benchmarks/scale` measures it).
  private static let weight = 8

  private let stage: Stage

  package convenience init(sandboxes: any SandboxHost, pools: PoolSizes, world: any World, log: Logger) {
    self.init(sandboxes: sandboxes, pools: pools, world: world, log: log, of: .initialised)
  }

  init(sandboxes: any SandboxHost, pools: PoolSizes, world: any World, log: Logger, of stage: Stage) {
    self.stage = stage
    self.sandboxes = sandboxes
    self.world = world
    self.log = log
    var limits = Processes.Limits()
    // A new one in its place would run the function's initialisation again.
    limits.age = .seconds(365 * 24 * 3600)
    limits.starts = .max
    if stage == .imports { limits.zygotes = 8 }
    var ahead = Cells.Limits()
    ahead.weight = pools.forkMemory
    // One: who calls a version right after it is made would wait for the others.
    ahead.least = 0
    state = Mutex(State(processes: Processes(limits: limits), cells: Cells(limits: ahead)))
  }

  func connect(_ hands: Hands) { self.hands.withLock { $0 = hands } }

  // MARK: - For environments

  /// What the next environment of a version is: forked already, or to be forked from this snapshot, or neither.
  func take(for version: FunctionConfiguration) -> (prepared: Prepared?, snapshot: SandboxID?) {
    let (key, now) = (version.incarnation, world.monotonic())
    while let cell = state.withLock({ $0.cells.take(key, at: now) }) {
      let (setup, actions) = state.withLock { state in
        (state.setups.removeValue(forKey: cell), state.processes.wanted(key, at: now).actions)
      }
      perform(actions)
      if let setup, cell.take() { return (Prepared(cell: cell, setup: setup), nil) }
    }
    let (snapshot, actions) = state.withLock { state -> (SandboxID?, [Processes.Action]) in
      guard state.unfit[key] == nil else { return (nil, []) }
      state.versions[key] = version
      let (snapshot, actions) = state.processes.wanted(key, at: now)
      if snapshot != nil { state.cells.expected(key, weight: Snapshots.weight, at: now) }
      return (snapshot, actions)
    }
    perform(actions)
    return (nil, snapshot)
  }

  /// A fork has ended before it could say that it goes on: no other one is made from there.
  func distrust(_ version: FunctionConfiguration) {
    log.warning(
      "forks of a snapshot do not go on", metadata: ["function": "\(version.name)", "version": "\(version.version)"])
    perform(state.withLock { $0.give(up: version.incarnation, "a fork of it did not go on") })
  }

  // MARK: - From the environment that becomes a snapshot

  /// A version is about to be initialised for another reason. True if that is to become its snapshot.
  func begins(_ version: FunctionConfiguration) -> Bool {
    let (actions, isWanted) = state.withLock { state -> ([Processes.Action], Bool) in
      guard state.unfit[version.incarnation] == nil else { return ([], false) }
      state.versions[version.incarnation] = version
      let actions = state.processes.expected(version.incarnation, at: world.monotonic())
      let others = actions.filter { $0 != .start(version.incarnation) }
      return (others, others.count < actions.count)
    }
    perform(actions)
    return isWanted
  }

  /// The version is initialised, and its process can be forked.
  func came(_ version: FunctionConfiguration, _ sandbox: SandboxID, end: @escaping @Sendable () -> Void) {
    let key = version.incarnation
    let now = world.monotonic()
    let (actions, ahead) = state.withLock { state in
      state.owners[sandbox] = Owner(key: key, end: end)
      let actions = state.processes.came(key, sandbox, at: now)
      return (actions, state.cells.renewed(key, weight: Snapshots.weight, at: now))
    }
    perform(actions)
    perform(ahead)
  }

  /// Whether a version has a snapshot or may have one; nil: nobody has asked for it.
  func isFit(_ version: FunctionConfiguration) -> Bool? {
    state.withLock { state in
      if state.unfit[version.incarnation] != nil { return false }
      return state.versions[version.incarnation] == nil ? nil : true
    }
  }

  /// There is nothing that a snapshot of it would be good for.
  func exclude(_ version: FunctionConfiguration) {
    perform(state.withLock { $0.give(up: version.incarnation, nil) })
  }

  /// It has not become a snapshot.
  /// - Parameter reason: why it never will; nil: it may, another time.
  func failed(_ version: FunctionConfiguration, _ reason: String?) {
    let (actions, isNews) = state.withLock { state -> ([Processes.Action], Bool) in
      state.processes.failed(version.incarnation, at: world.monotonic())
      guard let reason, state.unfit[version.incarnation] == nil else { return ([], false) }
      return (state.give(up: version.incarnation, reason), true)
    }
    if isNews, let reason {
      let isExpected = stage == .imports
      log.log(
        level: isExpected ? .debug : .notice,
        isExpected
          ? "no zygote of a version's own" : "no snapshot of a version, whose environments initialise anew",
        metadata: ["function": "\(version.name)", "version": "\(version.version)", "reason": "\(reason)"])
    }
    perform(actions)
  }

  /// What was a snapshot has ended.
  func ended(_ sandbox: SandboxID) {
    let actions = state.withLock { state -> [Processes.Action] in
      guard let owner = state.owners.removeValue(forKey: sandbox) else { return [] }
      return state.processes.ended(owner.key, sandbox, at: world.monotonic())
    }
    perform(actions)
  }

  // MARK: - Time and memory

  /// The host's memory is used up by who is at work.
  func giveUp() {
    let now = world.monotonic()
    let (cells, processes) = state.withLock { ($0.cells.giveUp(at: now), $0.processes.giveUp(at: now)) }
    perform(cells)
    perform(processes)
  }

  /// To be called every second or so.
  func tick(isCurrent: (FunctionConfiguration) -> Bool) {
    let now = world.monotonic()
    let known = state.withLock { $0.versions }
    let gone = known.filter { !isCurrent($0.value) }.map(\.key)
    let (processes, cells) = state.withLock { state in
      var processes: [Processes.Action] = []
      var cells: [Cells.Action] = []
      for key in gone {
        processes += state.processes.drop(key)
        cells += state.cells.drop(key)
        state.versions[key] = nil
      }
      processes += state.processes.tick(at: now)
      cells += state.cells.tick(at: now)
      return (processes, cells)
    }
    perform(processes)
    perform(cells)
  }

  /// For the operators' page.
  package var census: [SnapshotFigures] {
    let found = state.withLock { state -> [SnapshotFigures] in
      let cells = Dictionary(state.cells.census.map { ($0.key, $0.figures) }) { $1 }
      return state.processes.census.compactMap { entry in
        guard let version = state.versions[entry.key] else { return nil }
        return SnapshotFigures(
          function: version.name, version: version.version.description, isUp: entry.isUp, starts: entry.starts,
          cells: cells[entry.key])
      }
    }
    return found.sorted { ($0.function, $0.version) < ($1.function, $1.version) }
  }

  /// How it stands with one version, for whoever wonders.
  enum Standing {
    case up(StemCellFigures?)
    case coming
    /// It will not be; nil: nor would anybody expect it.
    case unfit(String?)
    case unknown
  }

  func standing(of version: FunctionConfiguration) -> Standing {
    let key = version.incarnation
    return state.withLock { state in
      if let reason = state.unfit[key] { return .unfit(reason) }
      guard let isUp = state.processes.census.first(where: { $0.key == key })?.isUp else { return .unknown }
      return isUp ? .up(state.cells.census.first { $0.key == key }?.figures) : .coming
    }
  }

  // MARK: -

  private func perform(_ actions: [Processes.Action]) {
    for action in actions {
      switch action {
      case .start(let key):
        guard let version = state.withLock({ $0.versions[key] }) else { continue }
        hands.withLock { $0 }?.initialise(version)
      case .end(let sandbox): state.withLock { $0.owners[sandbox] }?.end()
      case .level: break
      }
    }
  }

  private func perform(_ actions: [Cells.Action]) {
    for action in actions {
      switch action {
      case .start(let key): startCell(key)
      case .end(let cell): end(cell)
      }
    }
  }

  private func startCell(_ key: RequestID) {
    let (version, snapshot) = state.withLock { state in (state.versions[key], state.processes.up(key)) }
    guard let version, let snapshot, var setup = hands.withLock({ $0 })?.setup(version) else {
      return state.withLock { $0.cells.withdrew(key) }
    }
    setup.fork(from: snapshot)
    do throws(Fault) {
      let cell = try StemCell(hasCode: true) { [weak self] cell, fault in self?.heard(of: cell, key, fault) }
      state.withLock { $0.setups[cell] = setup }
      cell.start(setup.specification, setup.program, in: sandboxes)
    } catch {
      state.withLock { $0.cells.withdrew(key) }
    }
  }

  private func heard(of cell: StemCell, _ key: RequestID, _ fault: Fault?) {
    if let fault {
      log.debug("a forked environment ended", metadata: ["fault": "\(fault)"])
      state.withLock { $0.cells.failed(key, cell, at: world.monotonic()) }
      return end(cell)
    }
    perform(state.withLock { $0.cells.came(key, cell, at: world.monotonic()) })
  }

  private func end(_ cell: StemCell) {
    state.withLock { $0.setups[cell] = nil }
    cell.end(in: sandboxes)
  }
}

extension Snapshots.State {
  fileprivate mutating func give(up key: RequestID, _ reason: String?) -> [Snapshots.Processes.Action] {
    if unfit.count == Snapshots.mostUnfit { unfit = [:] }
    unfit[key] = .some(reason)
    return processes.drop(key)
  }
}

extension EnvironmentSetup {
  /// True if a fork of a process that has initialised goes on as one that initialises itself would.
  func canBeForked(_ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> Bool {
    guard case .interpreter(let interpreter) = served, interpreter.family == .python, image == nil,
      extensions.isEmpty, c.debugging == nil
    else { return false }
    return program.arguments == [interpreter.pathInRoot, RuntimeProgram.pythonBootstrap]
      && !specification.mounts.contains { if case .writable = $0 { true } else { false } }
  }

  mutating func fork(from snapshot: SandboxID) {
    specification.zygote = snapshot
    program.zygote = snapshot
  }

  mutating func becomeSnapshot(_ stage: Snapshots.Stage) {
    specification.isSnapshot = true
    specification.yields = false
    program.arguments = [program.arguments[0], RuntimeProgram.zygoteFile, stage == .imports ? "imports" : "snapshot"]
  }
}

/// How it stands with the snapshot of one version.
package struct SnapshotFigures: Sendable {
  package let function: String
  package let version: String
  package let isUp: Bool
  /// Environments that were forked from it.
  package let starts: Int
  /// Of those that are forked ahead; nil: none yet.
  package let cells: StemCellFigures?
}
