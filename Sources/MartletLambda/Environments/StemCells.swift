// Starts without the start of a runtime that cannot be forked: one that is up, in a sandbox of its own, hears whose it
// is, gets the function's code mounted, and goes on (docs/fast-start.md).
import Logging
import MartletCore
import MartletSandbox
import Synchronization

package final class StemCells: Sendable {
  /// What a cell can become: functions that want the same runtime started the same way in the same sandbox.
  struct Key: Hashable, Sendable {
    /// The program's path on the host.
    let interpreter: String
    /// Whose zygote it is forked from; nil: it is started.
    let account: String?
    let arguments: [String]
    /// Variables that are read when a program starts; all others it hears of later.
    let variables: [String]
    let memory: Int
    let tmp: Int
    let links: [Int]
  }

  private struct Template {
    let interpreter: Interpreter
    let account: String?
    let specification: SandboxSpecification
    let program: SandboxProgram
    /// Mebibytes.
    let weight: Int
  }

  private struct State {
    var machine: StemCellsStateMachine<Key, StemCell>
    var templates: [Key: Template] = [:]
  }

  private let sandboxes: any SandboxHost
  private let fastStart: FastStart?
  private let world: any World
  private let log: Logger
  private let state: Mutex<State>

  /// - Parameter fastStart: what cells are forked from, where they can be.
  package init(
    sandboxes: any SandboxHost, fastStart: FastStart?, pools: PoolSizes, world: any World, log: Logger
  ) {
    self.fastStart = fastStart
    var limits = StemCellsStateMachine<Key, StemCell>.Limits()
    limits.weight = pools.cellMemory
    limits.levels = pools.cellsOfOneKind
    state = Mutex(State(machine: StemCellsStateMachine(limits: limits)))
    self.sandboxes = sandboxes
    self.world = world
    self.log = log
  }

  /// A cell for an environment that is about to start; nil if there is none.
  func take(for setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> StemCell? {
    guard let key = expect(setup, c, served) else { return nil }
    while let cell = state.withLock({ $0.machine.take(key, at: world.monotonic()) }) { if cell.take() { return cell } }
    return nil
  }

  /// A function is there, and may be called soon.
  @discardableResult
  func expect(_ setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> Key? {
    guard let template = StemCells.template(setup, c, served) else { return nil }
    let key = StemCells.key(template)
    state.withLock { state in
      state.templates[key] = template
      state.machine.expected(key, weight: template.weight, at: world.monotonic())
    }
    return key
  }

  /// The host's memory is used up by who is at work.
  func giveUp() {
    for case .end(let cell) in state.withLock({ $0.machine.giveUp(at: world.monotonic()) }) { cell.end(in: sandboxes) }
  }

  /// To be called every second or so.
  package func tick() {
    let (actions, templates) = state.withLock { state in
      let actions = state.machine.tick(at: world.monotonic())
      let kinds = Set(state.machine.census.map(\.key))
      let templates = state.templates
      state.templates = templates.filter { kinds.contains($0.key) }
      return (actions, templates)
    }
    for action in actions {
      switch action {
      case .start(let key): if let template = templates[key] { start(key, template) }
      case .end(let cell): cell.end(in: sandboxes)
      }
    }
  }

  /// For the operators' page.
  package var census: [(account: String?, interpreter: String, memory: ByteCount, figures: StemCellFigures)] {
    state.withLock { $0.machine.census }
      .map { ($0.key.account, $0.key.interpreter, .bytes($0.key.memory), $0.figures) }
      .sorted { ($0.0 ?? "", $0.1, $0.2.bytes) < ($1.0 ?? "", $1.1, $1.2.bytes) }
  }

  private func start(_ key: Key, _ template: Template) {
    var (specification, program) = (template.specification, template.program)
    if let account = template.account {
      guard let zygote = fastStart?.zygote(of: account, template.interpreter) else {
        return state.withLock { $0.machine.withdrew(key) }
      }
      (specification.zygote, program.zygote) = (zygote, zygote)
    }
    do throws(Fault) {
      let cell = try StemCell { [weak self] cell, fault in self?.heard(of: cell, key, fault) }
      cell.start(specification, program, in: sandboxes)
    } catch {
      log.warning("no stem cell", metadata: ["fault": "\(error)"])
    }
  }

  private func heard(of cell: StemCell, _ key: Key, _ fault: Fault?) {
    if let fault {
      log.warning(
        "a stem cell ended", metadata: ["interpreter": "\(key.interpreter)", "fault": "\(fault)"])
      state.withLock { $0.machine.failed(key, cell, at: world.monotonic()) }
      return cell.end(in: sandboxes)
    }
    if !state.withLock({ $0.machine.came(key, cell) }) { cell.end(in: sandboxes) }
  }
}

extension StemCells {
  /// What a cell would be made of that can become this; nil if none can.
  private static func template(
    _ setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served
  ) -> Template? {
    guard case .interpreter(let interpreter) = served, let kind = StemCellKind.of(interpreter), c.image == nil,
      c.debugging == nil, setup.image == nil, setup.program.arguments.first == interpreter.pathInRoot,
      !(c.environment ?? []).contains(where: { kind.isReadAtStart($0.name) })
    else { return nil }
    if kind.isForked, !FastStart.fits(setup.program, RuntimeProgram.pythonZygote(interpreter)) { return nil }
    var specification = setup.specification
    var places: Set<String> = []
    specification.mounts = specification.mounts.map { mount in
      guard case .bind(_, let target) = mount, target == "/var/task" || target == "/opt" else { return mount }
      places.insert(target)
      return .directory(target)
    }
    guard places.contains("/var/task"),
      !specification.mounts.contains(where: { if case .writable = $0 { true } else { false } })
    else { return nil }
    var program = setup.program
    program.arguments.removeAll { $0.hasPrefix(RuntimeProgram.javaArchiveFlag) }
    program.arguments.insert(contentsOf: kind.flags, at: 1)
    program.arguments.append(stemArgument)
    program.follows = kind.follows
    program.environment = program.environment.filter { variable in
      variable.hasPrefix("AWS_LAMBDA_RUNTIME_API=") || variable.hasPrefix("PATH=")
        || kind.isReadAtStart(String(variable.prefix { $0 != "=" }))
    }
    return Template(
      interpreter: interpreter, account: kind.isForked ? c.place.account.id : nil, specification: specification,
      program: program, weight: kind.weight)
  }

  private static func key(_ template: Template) -> Key {
    let specification = template.specification
    return Key(
      interpreter: template.interpreter.path, account: template.account, arguments: template.program.arguments,
      variables: template.program.environment,
      memory: specification.memory.bytes, tmp: specification.tmp.bytes,
      links: specification.linkPorts.map { $0.isDatagram ? -$0.port : $0.port })
  }

  /// The runtime's last argument, if it is to wait.
  static let stemArgument = "--martlet-stem"
}

extension EnvironmentParts {
  /// The cell for an environment that is about to start.
  func stemCell(
    _ setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served
  ) -> StemCell? { stemCells?.take(for: setup, c, served) }
}
