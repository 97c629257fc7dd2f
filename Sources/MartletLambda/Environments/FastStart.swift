// Starts without the start of an interpreter: Python environments are forked from one that is up (docs/fast-start.md).
import Logging
import MartletCore
import MartletSandbox
import Synchronization

package final class FastStart: Sendable {
  /// What one zygote serves: forks share the layout of memory and a hash seed, so nobody else's.
  package struct Key: Hashable, Sendable {
    package let account: String
    /// The program's path on the host.
    package let interpreter: String
  }

  private struct State {
    var machine: FastStartStateMachine<Key, SandboxID>
    var interpreters: [String: Interpreter] = [:]
  }

  private let sandboxes: any SandboxHost
  private let root: RuntimeRoot
  private let world: any World
  private let log: Logger
  private let state: Mutex<State>

  package init(sandboxes: any SandboxHost, root: RuntimeRoot, pools: PoolSizes, world: any World, log: Logger) {
    var limits = FastStartStateMachine<Key, SandboxID>.Limits()
    limits.levels = pools.forks
    state = Mutex(State(machine: FastStartStateMachine(limits: limits)))
    self.sandboxes = sandboxes
    self.root = root
    self.world = world
    self.log = log
  }

  /// The zygote for an environment that is about to start; nil if there is none yet, or none for it.
  func zygote(for program: SandboxProgram, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> SandboxID? {
    guard let key = key(c, served), FastStart.fits(program, RuntimeProgram.pythonZygote(interpreter(key))) else {
      return nil
    }
    return wanted(key)
  }

  /// The same for a fork that waits to hear for which of an account's functions it is.
  func zygote(of account: String, _ interpreter: Interpreter) -> SandboxID? {
    let key = Key(account: account, interpreter: interpreter.path)
    state.withLock { $0.interpreters[interpreter.path] = interpreter }
    return wanted(key)
  }

  private func wanted(_ key: Key) -> SandboxID? {
    let (zygote, actions) = state.withLock { $0.machine.wanted(key, at: world.monotonic()) }
    perform(actions)
    return zygote
  }

  /// A function is there, and may be called soon.
  func expect(_ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) {
    guard let key = key(c, served) else { return }
    perform(state.withLock { $0.machine.expected(key, at: world.monotonic()) })
  }

  /// To be called every few seconds.
  package func tick() { perform(state.withLock { $0.machine.tick(at: world.monotonic()) }) }

  /// For the operators' page.
  package var census: [(key: Key, isUp: Bool, starts: Int, level: Int, failures: Int)] {
    state.withLock { $0.machine.census }.sorted {
      ($0.key.account, $0.key.interpreter) < ($1.key.account, $1.key.interpreter)
    }
  }

  package func figures() async -> [(name: String, value: Int)] { await sandboxes.figures() }

  private func key(_ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> Key? {
    guard case .interpreter(let interpreter) = served, interpreter.family == .python, c.image == nil, c.debugging == nil
    else { return nil }
    let key = Key(account: c.place.account.id, interpreter: interpreter.path)
    state.withLock { $0.interpreters[interpreter.path] = interpreter }
    return key
  }

  private func interpreter(_ key: Key) -> Interpreter {
    state.withLock { $0.interpreters[key.interpreter] }
      ?? Interpreter(family: .python, version: "", path: key.interpreter)
  }

  private func perform(_ actions: [FastStartStateMachine<Key, SandboxID>.Action]) {
    for action in actions {
      switch action {
      case .start(let key):
        let interpreter = interpreter(key)
        let specification = ZygoteSpecification(
          mounts: root.zygoteMounts(interpreter: interpreter), program: RuntimeProgram.pythonZygote(interpreter))
        _ = sandboxes.startZygote(specification, observer: Watch(key: key, owner: self))
      case .end(let zygote): sandboxes.destroy(zygote)
      case .level(let zygote, let level): sandboxes.setLevel(level, of: zygote)
      }
    }
  }

  /// Hears of one zygote.
  private final class Watch: ZygoteObserver {
    private let key: Key
    private let owner: FastStart
    private let wasUp = Atomic(false)

    init(key: Key, owner: FastStart) {
      self.key = key
      self.owner = owner
    }

    func zygoteIsUp(_ zygote: SandboxID) {
      wasUp.store(true, ordering: .relaxed)
      owner.perform(owner.state.withLock { $0.machine.came(key, zygote, at: owner.world.monotonic()) })
    }

    func zygoteEnded(_ zygote: SandboxID, _ fault: Fault?) {
      guard wasUp.load(ordering: .relaxed) else {
        owner.log.warning(
          "no fast start for an interpreter",
          metadata: ["interpreter": "\(key.interpreter)", "fault": "\(fault as Any)"])
        return owner.state.withLock { $0.machine.failed(key, at: owner.world.monotonic()) }
      }
      owner.perform(owner.state.withLock { $0.machine.ended(key, zygote, at: owner.world.monotonic()) })
    }
  }
}

extension FastStart {
  /// True if a fork of `zygote` becomes what `program` would be. An interpreter, its libraries and the loader read some
  /// variables only when they start, so these must be the zygote's; and it must be the same command.
  static func fits(_ program: SandboxProgram, _ zygote: SandboxProgram) -> Bool {
    guard program.arguments.count == 2, program.arguments.first == zygote.arguments.first,
      program.arguments[1] == RuntimeProgram.pythonBootstrap
    else { return false }
    return readAtStart(program.environment) == readAtStart(zygote.environment)
  }

  private static func readAtStart(_ variables: [String]) -> Set<String> {
    Set(variables.filter { variable in readAtStart.contains { variable.hasPrefix($0) } })
  }

  private static let readAtStart = [
    "PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "OPENSSL_", "GCONV_", "LOCPATH=",
  ]
}

extension EnvironmentParts {
  /// A function is ready to run, and may be called soon.
  package func expect(_ c: FunctionConfiguration) {
    guard let identifier = RuntimeCatalog.identifier(c.runtime ?? "") else { return }
    let served = runtimes.serves(identifier)
    fastStart?.expect(c, served)
    guard let stemCells, StemCellKind.of(served) != nil, c.image == nil else { return }
    if let setup = setup(of: c) { stemCells.expect(setup, c, served) }
  }

  /// What an environment on demand is made of; nil where it cannot be.
  func setup(of c: FunctionConfiguration) -> EnvironmentSetup? {
    guard let identifier = RuntimeCatalog.identifier(c.runtime ?? "") else { return nil }
    return try? EnvironmentSetup(
      c, family: identifier.family, served: runtimes.serves(identifier), image: runtimes.imageRoot(identifier),
      parts: self)
  }
}
