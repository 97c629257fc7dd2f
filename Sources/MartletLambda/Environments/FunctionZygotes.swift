// Zygotes of single functions: interpreters that have loaded what a function in Python imports of others' packages. Its
// environments are forked from there (docs/fast-start.md); the function's own modules are loaded in each of them.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import Synchronization

package final class FunctionZygotes: Preparation {
  private let processes: Snapshots
  private let sandboxes: any SandboxHost
  private let world: any World
  private let log: Logger
  private let parts = Mutex<EnvironmentParts?>(nil)
  /// Not up yet, each with the moment after which it is not waited for.
  private let coming = Mutex<[ObjectIdentifier: (process: FunctionZygote, until: UInt64)]>([:])

  package init(sandboxes: any SandboxHost, pools: PoolSizes, world: any World, log: Logger) {
    processes = Snapshots(sandboxes: sandboxes, pools: pools, world: world, log: log, of: .imports)
    self.sandboxes = sandboxes
    self.world = world
    self.log = log
  }

  func connect(_ parts: EnvironmentParts) {
    self.parts.withLock { $0 = parts }
    processes.connect(
      Snapshots.Hands(
        initialise: { [weak self] version in self?.start(version) {} },
        setup: { version in
          guard var setup = parts.setup(of: version) else { return nil }
          setup.program.arguments.append(StemCells.stemArgument)
          return setup
        }))
  }

  /// For an environment that is about to start: one that is forked already and waits to hear its variables, or from
  /// what it is to be forked, or neither.
  func take(
    for c: FunctionConfiguration, _ setup: EnvironmentSetup, _ served: RuntimeCatalog.Served
  ) -> (cell: StemCell?, zygote: SandboxID?) {
    guard fits(c, setup, served) else { return (nil, nil) }
    let found = processes.take(for: c)
    return (found.prepared?.cell, found.snapshot)
  }

  /// True if a version may have a zygote that is to be up before it is ready.
  package func isWanted(_ c: FunctionConfiguration) -> Bool { c.isPending && mayHave(c) }

  private func mayHave(_ c: FunctionConfiguration) -> Bool {
    guard let parts = parts.withLock({ $0 }), let setup = parts.setup(of: c),
      let identifier = RuntimeCatalog.identifier(c.runtime ?? "")
    else { return false }
    return fits(c, setup, parts.runtimes.serves(identifier))
  }

  /// Returns when the version's zygote is up, or it is known that there will be none.
  package func prepare(_ c: FunctionConfiguration) async {
    guard isWanted(c), processes.begins(c) else { return }
    await withCheckedContinuation { continuation in start(c) { continuation.resume() } }
  }

  /// Its own, in the background. Ready it is already: what has no zygote is started from the account's.
  package func published(_ c: FunctionConfiguration) {
    if mayHave(c), processes.begins(c) { start(c) {} }
  }

  package func progress(of c: FunctionConfiguration) -> String? {
    guard case .coming = standing(of: c) else { return nil }
    return "What it imports of others' packages is loaded into a zygote of its own."
  }

  package func stop() { for (process, _) in coming.withLock({ $0.values }) { process.end() } }

  func giveUp() { processes.giveUp() }

  /// To be called every second or so.
  func tick(isCurrent: (FunctionConfiguration) -> Bool) {
    let now = world.monotonic()
    let late = coming.withLock { $0.values.filter { Int64(bitPattern: $0.until &- now) < 0 } }
    for (process, _) in late { process.giveUp("its imports take longer than \(FunctionZygotes.patience)") }
    processes.tick(isCurrent: isCurrent)
  }

  func standing(of c: FunctionConfiguration) -> Snapshots.Standing { processes.standing(of: c) }

  /// For the operators' page.
  package var census: [SnapshotFigures] { processes.census }

  private func start(_ version: FunctionConfiguration, _ done: @escaping @Sendable () -> Void) {
    guard var setup = parts.withLock({ $0 })?.setup(of: version) else {
      processes.failed(version, nil)
      return done()
    }
    setup.becomeSnapshot(.imports)
    do throws(Fault) {
      let process = try FunctionZygote(in: sandboxes) { [weak self] process, news in
        self?.heard(of: process, version, news)
        if case .ended = news { return }
        done()
      }
      coming.withLock {
        $0[ObjectIdentifier(process)] = (process, world.monotonic() &+ FunctionZygotes.patience.nanoseconds)
      }
      process.start(setup.specification, setup.program)
    } catch {
      processes.failed(version, nil)
      done()
    }
  }

  private func heard(of process: FunctionZygote, _ version: FunctionConfiguration, _ news: FunctionZygote.News) {
    coming.withLock { $0[ObjectIdentifier(process)] = nil }
    switch news {
    case .isUp(let sandbox, let loaded):
      log.debug(
        "a version's own zygote is up",
        metadata: ["function": "\(version.name)", "version": "\(version.version)", "loaded": "\(loaded)"])
      processes.came(version, sandbox) { process.end() }
    case .isNot(let reason): processes.failed(version, reason)
    case .ended(let sandbox): processes.ended(sandbox)
    }
  }

  /// How long imports may take.
  private static let patience = Duration.seconds(60)
}

extension FunctionZygotes {
  private func fits(
    _ c: FunctionConfiguration, _ setup: EnvironmentSetup, _ served: RuntimeCatalog.Served
  ) -> Bool {
    // Most are known not to be; nothing else is looked at then.
    let isFit = processes.isFit(c)
    guard isFit != false, !c.isSnapStarted, c.environmentConcurrency == nil,
      case .interpreter(let interpreter) = served, setup.canBeForked(c, served),
      FastStart.fits(setup.program, RuntimeProgram.pythonZygote(interpreter))
    else { return false }
    if isFit == true { return true }
    guard hasOthersPackages(c, setup, interpreter) else {
      processes.exclude(c)
      return false
    }
    return true
  }

  /// What others have made is known by what installers leave beside it.
  private func hasOthersPackages(
    _ c: FunctionConfiguration, _ setup: EnvironmentSetup, _ interpreter: Interpreter
  ) -> Bool {
    let version = interpreter.version.split(separator: ".").prefix(2).joined(separator: ".")
    let folders = setup.specification.mounts.flatMap { mount -> [String] in
      switch mount {
      case .bind(let source, "/var/task"): [source]
      case .bind(let source, "/opt"): ["\(source)/python", "\(source)/python/lib/python\(version)/site-packages"]
      default: []
      }
    }
    return folders.contains { Files.names(in: $0).contains { $0.hasSuffix(".dist-info") } }
  }
}

/// One zygote, from its start to its end.
final class FunctionZygote: Sendable {
  enum News: Sendable {
    /// `loaded`: what it has imported.
    case isUp(SandboxID, loaded: String)
    /// It will not be; `reason`: nor will any other of the same version.
    case isNot(reason: String?)
    /// It was up.
    case ended(SandboxID)
  }

  private struct State {
    var sandbox: SandboxID?
    var resources: SandboxResources?
    var isUp = false
    var hasEnded = false
  }

  private let sandboxes: any SandboxHost
  private let told: @Sendable (FunctionZygote, News) -> Void
  /// What it says when it ends: why it is of no use.
  private let output: Pipe
  private let state = Mutex(State())

  init(in sandboxes: any SandboxHost, told: @escaping @Sendable (FunctionZygote, News) -> Void) throws(Fault) {
    self.sandboxes = sandboxes
    self.told = told
    output = try Pipe()
  }

  deinit {
    close(output.reader)
    close(output.writer)
  }

  func start(_ specification: SandboxSpecification, _ program: SandboxProgram) {
    let sandbox = sandboxes.create(specification, observer: self)
    let hasEnded = state.withLock { state in
      state.sandbox = sandbox
      return state.hasEnded
    }
    // It has failed before it had a number: then nobody was told yet.
    if hasEnded { return leave(sandbox, .isNot(reason: nil)) }
    sandboxes.start(program, number: 1, in: sandbox, output: output.writer)
  }

  /// Nobody needs it any more, or waits for it.
  func end() { finish(nil) }

  /// It ends unless it is up.
  func giveUp(_ reason: String) { finish(reason, evenIfUp: false) }

  private func finish(_ reason: String?, evenIfUp: Bool = true) {
    let (sandbox, wasUp, isNews) = state.withLock { state in
      guard !state.hasEnded, evenIfUp || !state.isUp else { return (state.sandbox, state.isUp, false) }
      state.hasEnded = true
      return (state.sandbox, state.isUp, true)
    }
    guard isNews, let sandbox else { return }
    leave(sandbox, wasUp ? .ended(sandbox) : .isNot(reason: reason))
  }

  private func leave(_ sandbox: SandboxID, _ news: News) {
    sandboxes.destroy(sandbox)
    told(self, news)
  }

  /// The last line that it has printed.
  private func lastLine() -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fcntl(output.reader, F_SETFL, O_NONBLOCK) == 0 ? read(output.reader, &bytes, bytes.count) : 0
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    return lines.last.map(String.init) ?? "it ended"
  }
}

extension FunctionZygote: SandboxObserver {
  func sandboxCreated(_ resources: SandboxResources) {
    // Nobody answers there.
    for listener in resources.listeners { close(listener) }
    state.withLock { $0.resources = resources }
  }

  func sandboxCanBeForked() {
    let (sandbox, resources) = state.withLock { state in
      state.isUp = !state.hasEnded
      return (state.isUp ? state.sandbox : nil, state.resources)
    }
    // A fork is made with its share, and somebody waits for it.
    resources?.compete()
    if let sandbox { told(self, .isUp(sandbox, loaded: lastLine())) }
  }

  func sandboxProgramStarted(_ program: UInt32) {}
  func sandboxProgramEnded(_ program: UInt32, _ status: ExitStatus, outOfMemory: Bool) {
    if outOfMemory { return finish("its memory does not suffice") }
    // Who is killed has not failed: the host wanted memory, say.
    finish(status == .signal(Int(SIGKILL)) ? nil : status == .code(1) ? lastLine() : "it ended: \(status)")
  }
  func sandboxWasReset(newListeners: [CInt]) { for listener in newListeners { close(listener) } }
  func sandboxDestroyed() { finish(nil) }
  func sandboxConnected(_ ticket: UInt32, _ result: Result<CInt, Fault>) {
    if case .success(let descriptor) = result { close(descriptor) }
  }
  func sandboxFailed(_ fault: Fault, program: UInt32?) { finish(nil) }
}
