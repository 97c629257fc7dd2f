// Starts without the start of a runtime that cannot be forked: one that is up, in a sandbox of its own, hears whose it
// is, gets the function's code mounted, and goes on (docs/fast-start.md).
import Logging
import MartletCore
import MartletSandbox
import Synchronization

package final class StemCells: Sendable {
  /// What a cell can become: functions that want the same runtime started the same way in the same sandbox.
  struct Key: Hashable, Sendable {
    /// The program's path on the host; nil: nothing is started.
    let interpreter: String?
    /// Whose zygote it is forked from; nil: it is started.
    let account: String?
    /// The version whose code it has; nil: it gets the code of the environment that takes it.
    let version: RequestID?
    let arguments: [String]
    /// Variables that are read when a program starts; all others it hears of later.
    let variables: [String]
    let memory: Int
    let tmp: Int
    let links: [Int]
  }

  private struct Template {
    let interpreter: Interpreter?
    let account: String?
    let version: FunctionConfiguration?
    let specification: SandboxSpecification
    /// nil: nothing is started.
    let program: SandboxProgram?
    /// Mebibytes.
    let weight: Int
    let abreast: Int
  }

  private typealias Machine = StemCellsStateMachine<Key, StemCell>

  private struct State {
    var machine: Machine
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
    var limits = Machine.Limits()
    limits.weight = pools.cellMemory
    state = Mutex(State(machine: Machine(limits: limits)))
    self.sandboxes = sandboxes
    self.world = world
    self.log = log
  }

  /// A cell for an environment that is about to start; nil if there is none.
  func take(for setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> StemCell? {
    for isOwn in StemCells.hasOwn(c, served) ? [true, false] : [false] {
      guard let key = expect(setup, c, served, isOwn: isOwn) else { continue }
      while let cell = state.withLock({ $0.machine.take(key, at: world.monotonic()) }) {
        if cell.take() { return cell }
      }
    }
    return nil
  }

  /// A function is there, and may be called soon; its own cells are for one that was just made.
  func expect(_ setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) {
    _ = expect(setup, c, served, isOwn: false)
    if c.isPending, StemCells.hasOwn(c, served) { _ = expect(setup, c, served, isOwn: true) }
  }

  private func expect(
    _ setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served, isOwn: Bool
  ) -> Key? {
    guard let template = StemCells.template(setup, c, served, isOwn: isOwn) else { return nil }
    let key = StemCells.key(template)
    state.withLock { state in
      state.templates[key] = template
      state.machine.expected(
        key, weight: template.weight, isExtra: isOwn, abreast: template.abreast, at: world.monotonic())
    }
    return key
  }

  /// Versions are no more, and nor are their functions' own cells.
  func tick(isCurrent: (FunctionConfiguration) -> Bool) {
    let own = state.withLock { $0.templates.filter { $0.value.version != nil } }
    for (key, template) in own {
      if let version = template.version, !isCurrent(version) { perform { machine in machine.drop(key) } }
    }
  }

  /// The host's memory is used up by who is at work.
  func giveUp() {
    perform { machine in machine.giveUp(at: world.monotonic()) }
  }

  /// To be called every second or so.
  package func tick() {
    perform { machine in machine.tick(at: world.monotonic()) }
    state.withLock { state in
      let kinds = Set(state.machine.census.map(\.key))
      state.templates = state.templates.filter { kinds.contains($0.key) }
    }
  }

  private func perform(_ decide: (inout Machine) -> [Machine.Action]) {
    let (actions, templates) = state.withLock { state in (decide(&state.machine), state.templates) }
    for action in actions {
      switch action {
      case .start(let key):
        if let template = templates[key] { start(key, template) } else { state.withLock { $0.machine.withdrew(key) } }
      case .end(let cell): cell.end(in: sandboxes)
      }
    }
  }

  /// For the operators' page.
  package var census: [Census] {
    let (machine, templates) = state.withLock { ($0.machine.census, $0.templates) }
    return machine.map { key, figures in
      Census(
        account: key.account, version: templates[key]?.version, interpreter: key.interpreter,
        memory: .bytes(key.memory), figures: figures)
    }
    .sorted {
      ($0.account ?? "", $0.version?.name ?? "", $0.interpreter ?? "", $0.memory.bytes)
        < ($1.account ?? "", $1.version?.name ?? "", $1.interpreter ?? "", $1.memory.bytes)
    }
  }

  /// How it stands with those for environments like this; nil: there are none for it.
  func figures(
    for setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served
  ) -> (isOwn: Bool, figures: StemCellFigures)? {
    let census = state.withLock { $0.machine.census }
    for isOwn in StemCells.hasOwn(c, served) ? [true, false] : [false] {
      guard let template = StemCells.template(setup, c, served, isOwn: isOwn) else { continue }
      let key = StemCells.key(template)
      if let found = census.first(where: { $0.key == key }), !isOwn || found.figures.ready > 0 {
        return (isOwn, found.figures)
      }
    }
    return nil
  }

  /// How it stands with one kind.
  package struct Census: Sendable {
    /// From whose zygote they are forked.
    package let account: String?
    /// Whose code they have.
    package let version: FunctionConfiguration?
    /// nil: they are for functions that bring their runtime.
    package let interpreter: String?
    package let memory: ByteCount
    package let figures: StemCellFigures
  }

  private func start(_ key: Key, _ template: Template) {
    var (specification, program) = (template.specification, template.program)
    if let account = template.account, let interpreter = template.interpreter {
      guard let zygote = fastStart?.zygote(of: account, interpreter) else {
        return state.withLock { $0.machine.withdrew(key) }
      }
      specification.zygote = zygote
      program?.zygote = zygote
    }
    do throws(Fault) {
      let cell = try StemCell(isEmpty: program == nil, hasCode: key.version != nil) { [weak self] cell, fault in
        self?.heard(of: cell, key, fault)
      }
      cell.start(specification, program, in: sandboxes)
    } catch {
      log.warning("no stem cell", metadata: ["fault": "\(error)"])
      state.withLock { $0.machine.withdrew(key) }
    }
  }

  private func heard(of cell: StemCell, _ key: Key, _ fault: Fault?) {
    if let fault {
      log.warning(
        "a stem cell ended", metadata: ["interpreter": "\(key.interpreter ?? "none")", "fault": "\(fault)"])
      state.withLock { $0.machine.failed(key, cell, at: world.monotonic()) }
      return cell.end(in: sandboxes)
    }
    perform { machine in machine.came(key, cell, at: world.monotonic()) }
  }
}

extension StemCells {
  /// Bytes, unpacked. What is smaller has so few classes that loading them takes no time to speak of.
  private static let largePackage = 256 << 10

  /// True if cells are of use that have a version's classes already.
  private static func hasOwn(_ c: FunctionConfiguration, _ served: RuntimeCatalog.Served) -> Bool {
    guard case .interpreter(let interpreter) = served, StemCellKind.of(interpreter)?.ownWeight != nil else {
      return false
    }
    return c.layers.reduce(c.code.unpackedSize) { $0 + $1.package.unpackedSize } >= largePackage
  }

  /// What a cell would be made of that can become this; nil if none can.
  /// - Parameter isOwn: it is to have the version's code already.
  private static func template(
    _ setup: EnvironmentSetup, _ c: FunctionConfiguration, _ served: RuntimeCatalog.Served, isOwn: Bool
  ) -> Template? {
    guard let kind = StemCellKind.of(served), c.image == nil, c.debugging == nil, setup.image == nil,
      !(c.environment ?? []).contains(where: { kind.isReadAtStart($0.name) })
    else { return nil }
    let interpreter: Interpreter? = if case .interpreter(let found) = served { found } else { nil }
    if let interpreter {
      guard setup.program.arguments.first == interpreter.pathInRoot else { return nil }
      if kind.isForked, !FastStart.fits(setup.program, RuntimeProgram.pythonZygote(interpreter)) { return nil }
    }
    guard let specification = specification(setup, isOwn: isOwn) else { return nil }
    return Template(
      interpreter: interpreter, account: kind.isForked ? c.place.account.id : nil, version: isOwn ? c : nil,
      specification: specification, program: kind.isEmpty ? nil : program(setup.program, kind, isOwn: isOwn),
      weight: isOwn ? kind.ownWeight ?? kind.weight : kind.weight, abreast: kind.abreast)
  }

  /// nil: a sandbox like this cannot get its code later.
  private static func specification(_ setup: EnvironmentSetup, isOwn: Bool) -> SandboxSpecification? {
    var specification = setup.specification
    var places: Set<String> = []
    specification.mounts = specification.mounts.map { mount in
      guard case .bind(_, let target) = mount, target == "/var/task" || target == "/opt" else { return mount }
      places.insert(target)
      return isOwn ? mount : .directory(target)
    }
    guard places.contains("/var/task"),
      !specification.mounts.contains(where: { if case .writable = $0 { true } else { false } })
    else { return nil }
    return specification
  }

  private static func program(_ whole: SandboxProgram, _ kind: StemCellKind, isOwn: Bool) -> SandboxProgram {
    var program = whole
    program.arguments.removeAll { $0.hasPrefix(RuntimeProgram.javaArchiveFlag) }
    program.arguments.insert(contentsOf: kind.flags, at: 1)
    program.arguments.append(stemArgument)
    program.follows = kind.follows
    program.environment = program.environment.filter { variable in
      variable.hasPrefix("AWS_LAMBDA_RUNTIME_API=") || variable.hasPrefix("PATH=")
        || (isOwn && variable.hasPrefix("_HANDLER="))
        || kind.isReadAtStart(String(variable.prefix { $0 != "=" }))
    }
    return program
  }

  private static func key(_ template: Template) -> Key {
    let specification = template.specification
    return Key(
      interpreter: template.interpreter?.path, account: template.account, version: template.version?.incarnation,
      arguments: template.program?.arguments ?? [], variables: template.program?.environment ?? [],
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
