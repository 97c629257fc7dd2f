// What every execution environment is made with.
import Logging
import MartletCore
import MartletSandbox
import MartletWire

package struct EnvironmentParts: Sendable {
  package let world: any World
  package let limits: LambdaLimits
  package let sandboxes: any SandboxHost
  package let packages: CodePackages
  package let runtimes: RuntimeCatalog
  package let root: RuntimeRoot
  /// Answers the platform's own API on the second listener of an environment; nil = none.
  package let platform: (any HTTPResponder)?
  package let network: SandboxSpecification.Network
  /// The credentials of a role for a session of that name; nil if nobody hands them out. Called when an environment is
  /// made, so it must neither wait nor read from disk.
  package let credentials: @Sendable (_ role: String, _ session: String, Place) -> TemporaryCredentials?
  /// Environments stay unfrozen for a moment after their work: calls in quick succession need not thaw them.
  package let freezes: FreezeQueues
  package let log: Logger
  package let fileSystems: FileSystemDirectories
  /// nil: every program is executed.
  package let fastStart: FastStart?
  /// nil: every runtime is started.
  package let stemCells: StemCells?
  /// nil: every environment of a version with SnapStart initialises anew.
  package let snapshots: Snapshots?
  /// nil: no version has a zygote of its own.
  package let functionZygotes: FunctionZygotes?
  /// Where what is logged is kept; nil = nowhere.
  package let logs: (any LogSink)?
  /// Where traced invocations are told of; nil = nothing is traced.
  package let traces: (any TraceSink)?
  /// Counts what is started and why; nil = nobody does.
  package let metrics: LambdaMetrics?
  /// nil: nobody looks at it.
  package let memory: (any HostMemory)?
  /// nil: any number of environments initialise at once.
  package let gate: InitialisationGate?

  package init(
    world: any World, limits: LambdaLimits, sandboxes: any SandboxHost, packages: CodePackages,
    runtimes: RuntimeCatalog,
    root: RuntimeRoot, platform: (any HTTPResponder)?, network: SandboxSpecification.Network,
    credentials: @escaping @Sendable (_ role: String, _ session: String, Place) -> TemporaryCredentials? = { _, _, _ in
      nil
    },
    freezeDelay: Duration = .milliseconds(5), log: Logger, fileSystems: FileSystemDirectories = FileSystemDirectories(),
    fastStart: FastStart? = nil, stemCells: StemCells? = nil, snapshots: Snapshots? = nil,
    functionZygotes: FunctionZygotes? = nil, logs: (any LogSink)? = nil,
    traces: (any TraceSink)? = nil,
    metrics: LambdaMetrics? = nil, memory: (any HostMemory)? = nil, gate: InitialisationGate? = nil
  ) {
    self.gate = gate
    self.metrics = metrics
    self.memory = memory
    self.logs = logs
    self.traces = traces
    self.world = world
    self.limits = limits
    self.sandboxes = sandboxes
    self.packages = packages
    self.runtimes = runtimes
    self.root = root
    self.platform = platform
    self.network = network
    self.credentials = credentials
    freezes = FreezeQueues(delay: freezeDelay, world: world)
    self.log = log
    self.fileSystems = fileSystems
    self.fastStart = fastStart
    self.stemCells = stemCells
    self.snapshots = snapshots
    self.functionZygotes = functionZygotes
  }

  /// What is compiled and archived ahead: nothing where environments have no root of their own, because results
  /// know where they are.
  package func makePreparations() -> [any Preparation] {
    guard sandboxes.hasOwnRoot else { return [] }
    return [
      PackageCompiler(sandboxes: sandboxes, root: root, packages: packages, runtimes: runtimes, world: world, log: log),
      JavaArchives(sandboxes: sandboxes, root: root, runtimes: runtimes, world: world, log: log),
    ] + (functionZygotes.map { [$0] } ?? [])
  }

  /// What every environment listens on, and it may be more.
  var usualPorts: [Int] { [EnvironmentParts.runtimePort] + (platform == nil ? [] : [EnvironmentParts.platformPort]) }
  var usualLinkPorts: [SandboxSpecification.LinkPort] {
    traces == nil ? [] : [SandboxSpecification.LinkPort(port: EnvironmentParts.daemonPort, isDatagram: true)]
  }

  /// Has made ahead what environments have in common.
  package func makeAhead() {
    sandboxes.expect(mounts: root.base, ports: usualPorts, linkPorts: usualLinkPorts)
  }

  /// The ports on which an environment's listeners are, inside of it.
  static let runtimePort = 9001
  static let platformPort = 4566
  /// The X-Ray daemon's.
  static let daemonPort = 2000
  /// Where an environment under a debugger calls.
  static let debugPort = 4567
}
