// A server, put together: the one place where the parts meet. Reads as the table of contents of the program.
import Glibc
import Logging
import MartletCloud
import MartletCore
import MartletLambda
import MartletSandbox
import MartletStore
import MartletTLS
import MartletWire
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

package struct Node: Sendable {
  private let configuration: ServerConfiguration
  private let world: any World
  private let log: Logger

  package init(_ configuration: ServerConfiguration, world: any World = RealWorld()) {
    self.configuration = configuration
    self.world = world
    log = Logger(label: "martlet") { _ in
      LogLine(level: configuration.logLevel, format: configuration.logFormat, world: world)
    }
  }

  /// What must be done with the privilege that the program was started with: the state directory, and the process that
  /// keeps the privilege. When this returns, this process has none left.
  ///
  /// To be called on the main thread, before any other exists: the C library gives up the privilege of the threads that
  /// it knows, and the main thread of a Swift program with an asynchronous `main` is no longer one of them.
  /// - Throws: a `Fault` that says what is wrong and how to mend it.
  package func prepare() throws -> PreparedNode {
    let begun = world.monotonic()
    Privileges.outlastFunctions()
    Descriptors.raiseLimit()
    Allocator.keepBodies()
    setlocale(LC_CTYPE, "C.UTF-8")  // libarchive needs it for names that are not ASCII
    let owner = try Privileges.user(configuration.user)
    if let owner { try Privileges.checkReach(absolute(configuration.stateDirectory), by: owner) }
    try configuration.fileSystems.check(isRoot: Privileges.isRoot)
    var interpreters = Interpreter.findAll(environment: ProcessVariables.all)
    let chosen = try RuntimeCatalog.chosen(configuration.runtimes)
    let state = try StateDirectory(path: absolute(configuration.stateDirectory), owner: owner)
    // Without isolation nothing needs privilege, and functions must not have any.
    if let owner, configuration.isolation == .none {
      try Privileges.drop(to: owner)
      interpreters = interpreters.filter { access($0.path, X_OK) == 0 }
    }
    if configuration.isolation == .full {
      interpreters.removeAll { $0.isHiddenInRoot }
      if let hidden = chosen.first(where: { $0.value.isHiddenInRoot }) {
        throw Fault(
          "--runtime \(hidden.key)=\(hidden.value.path)",
          "sandboxes have a /tmp, /proc and /dev of their own; install the interpreter elsewhere")
      }
    }
    let sandboxes = try SandboxProcess(
      executable: configuration.sandboxExecutable, isolated: configuration.isolation == .full, instance: state.instance,
      exposed: RuntimeRoot.exposed(state: state.path, interpreters: interpreters + chosen.values),
      writable: configuration.fileSystems.all, pool: configuration.pools.sandboxes, log: log)
    if configuration.isolation == .full, let first = sandboxes.guarantees.first,
      !sandboxes.guarantees.contains(where: \.holds)
    {
      throw Fault(
        "isolation",
        "no sandbox can be made on this host: \(first.how); see martlet doctor, or ask for --isolation none")
    }
    if let owner, configuration.isolation == .full { try Privileges.drop(to: owner) }
    return PreparedNode(
      configuration: configuration, world: world, log: log, begun: begun,
      runtimes: RuntimeCatalog(
        interpreters: interpreters, chosen: chosen, packs: RuntimePack.directory(state: state.path)), state: state,
      sandboxes: sandboxes)
  }

  private func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    guard let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }
}

/// A server that has what needs privilege, and no privilege.
package struct PreparedNode: Sendable {
  fileprivate let configuration: ServerConfiguration
  fileprivate let world: any World
  fileprivate let log: Logger
  fileprivate let begun: UInt64
  fileprivate let runtimes: RuntimeCatalog
  fileprivate let state: StateDirectory
  fileprivate let sandboxes: SandboxProcess

  /// Whose resources callers mean who do not say so.
  private var place: Place { Place(account: configuration.account, region: configuration.region) }

  /// Serves until SIGTERM or SIGINT, finishes what is under way, and returns.
  /// - Throws: a `Fault` that says what is wrong and how to mend it.
  package func run() async throws {
    let world = MovableWorld(self.world, offset: ClockPage.offset(keptIn: state.clock))
    let database = try Database(path: state.database)
    try database.migrate(
      FunctionRecord.migrations + Documents.migrations + CloudServices.migrations + EventTable.migrations)
    let functions = try FunctionTable(database: database)
    let layers = try LayerTable(database: database)
    let iam = try await IAMService(database: database, world: world)
    let resources = try LambdaResources(database: database, world: world, log: log)
    let limits = limits
    let packages = try codePackages(limits, world)
    let security = try CertificateTrust(authorities: configuration.authorities)
    let front = Front(
      world: world, defaults: place, limits: limits, packages: packages, incoming: state.incoming, log: log)
    let group = await Spinning(limit: configuration.spin).group(threads: configuration.threads)
    let (door, alarms, logs, xray, export) = try beginnings(database, world, group)
    let metrics = LambdaMetrics(world: world, isOn: configuration.metrics)
    let parts = try environmentParts(world, limits, packages, runtimes, front, iam, logs, xray, metrics)
    let placement = placement(parts, group, functions)
    let directories = WatchedDirectories(packages: packages, limits: limits, world: world)
    let debugging = DebugSessions(world: world, group: group, placement: placement)
    let line = Line(
      functions: functions, admission: Admission(limits: limits, world: world), placement: placement,
      directories: directories,
      debugging: debugging, metrics: metrics, traces: parts.traces, world: world)
    let provisioned = ProvisionedConcurrency(functions: functions, placement: placement, log: log)
    let activation = activation(of: functions, parts, placement)
    let events = try EventQueue(
      database: database, functions: functions, line: line, door: door, alarms: alarms, limits: limits,
      traces: parts.traces, log: log, metrics: metrics)
    let lambda = LambdaService(
      world: world, limits: limits, functions: functions, layers: layers, resources: resources,
      packages: packages, runtimes: runtimes, activation: activation, line: line, events: events,
      provisioned: provisioned, door: door, log: log, metrics: metrics)
    let cloud = try CloudServices(
      database: database, iam: iam, world: world, alarms: alarms, door: door, state: state, security: security,
      logs: logs, xray: xray, export: export, log: log)
    connect(door, lambda, cloud)
    let urls = FunctionURLs(functions: functions, line: line, world: world, limits: limits, log: log, metrics: metrics)
    front.serve(
      cloud.wireServices(beside: lambda, door), iam: iam, urls: urls,
      operators: RESTService(lambda, rows: LambdaService.operatorRows, door: door))
    offerRemote(door, security)
    front.serve(pages: operatorsPages(world, alarms, lambda, cloud, parts, door))
    let listener = try await listen(front, group)
    let services: [any Service] =
      [
        SandboxService(sandboxes: sandboxes), TelemetryService(export: export),
        LogService(logs: logs),
        MetricService(cloudWatch: cloud.cloudWatch, cloud: cloud, lambda: lambda, door: door),
        TraceService(xray: xray), AuditService(audit: cloud.audit),
        EnvironmentService(placement: placement),
        ActivationService(activation: activation),
        ResourceService(resources: resources),
        ProvisionedConcurrencyService(provisioned: provisioned),
        SweepService(
          placement: placement, provisioned: provisioned, functions: functions, directories: directories,
          debugging: debugging, fastStart: parts.fastStart, stemCells: parts.stemCells),
        CollectService(
          packages: packages, placement: placement, functions: functions, layers: layers, directories: directories),
        EventService(events: events),
      ] + cloud.loops + [
        PollerService(pollers: lambda.pollers),
        ListenerService(
          listener: listener, lambda: lambda, sqs: cloud.sqs, kinesis: cloud.kinesis, logs: logs, debugging: debugging,
          log: log, announce: { announce(listener) }),
      ]
    try await run(services)
  }

  private func placement(
    _ parts: EnvironmentParts, _ group: MultiThreadedEventLoopGroup, _ functions: FunctionTable
  ) -> Placement {
    Placement(
      parts: parts, group: group, idleTimeout: configuration.idleTimeout,
      versionsAtStart: Dictionary(functions.all.map { ($0.key, $0.nextVersion) }) { $1 })
  }

  private func activation(
    of functions: FunctionTable, _ parts: EnvironmentParts, _ placement: Placement
  ) -> FunctionActivation {
    FunctionActivation(
      functions: functions, packages: parts.packages, preparations: parts.makePreparations(), world: parts.world,
      log: log,
      prepare: { parts.expect($0) }, tryOut: { await placement.tryOut($0) })
  }

  /// Lets the services call each other.
  private func connect(_ door: Door, _ lambda: LambdaService, _ cloud: CloudServices) {
    door.offer(Lambda.FindFunction.self, by: lambda)
    door.offer(Lambda.InvokeEvent.self, by: lambda)
    cloud.offer(at: door)
    cloud.sqs.whenQueuesAppear { lambda.pollers.queueAppeared($0) }
  }

  private var limits: LambdaLimits {
    var limits = LambdaLimits()
    limits.concurrentExecutions = configuration.concurrency
    limits.streamingRate = configuration.streamingRate
    limits.scalingRate = configuration.scalingRate
    limits.requestRate = configuration.requestRate
    limits.memoryReserve = configuration.memoryReserve
    return limits
  }

  /// Runs the loops until a signal ends them, the last one first.
  private func run(_ services: [any Service]) async throws {
    defer { sandboxes.close() }
    let lifecycle = ServiceGroup(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint],
      logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() })
    try await lifecycle.run()
    log.info("stopped")
  }

  /// What both environments and services need.
  private func beginnings(
    _ database: Database, _ world: MovableWorld, _ group: MultiThreadedEventLoopGroup
  ) throws -> (Door, Alarms, LogsService, XRayService, TelemetryExport?) {
    let export = try telemetryExport(world)
    let door = Door(log: log)
    let alarms = Alarms(world: world) { delay, body in
      group.next().scheduleTask(in: .nanoseconds(delay.inNanoseconds)) { body() }
    }
    let logs = try LogsService(
      database: database, root: state.logs, alarms: alarms, door: door, log: log,
      limits: LogsService.Limits(storage: configuration.logStorage), export: export)
    let xray = try XRayService(
      database: database, path: state.traces, alarms: alarms, log: log,
      limits: XRayService.Limits(storage: configuration.traceStorage), export: export)
    return (door, alarms, logs, xray, export)
  }

  /// nil if nobody has asked for it.
  private func telemetryExport(_ world: MovableWorld) throws -> TelemetryExport? {
    guard let settings = configuration.telemetry else { return nil }
    for (signal, target) in settings.targets.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      log.info("\(signal) are exported", metadata: ["endpoint": "\(target.address)\(target.path)"])
    }
    if let unknown = settings.unknown { log.warning("what is exported goes without \(unknown)") }
    return TelemetryExport(
      settings, version: MartletVersion.text, world: world,
      security: try CertificateTrust(authorities: settings.authorities ?? configuration.authorities), log: log)
  }

  private func listen(_ front: Front, _ group: MultiThreadedEventLoopGroup) async throws -> HTTPListener {
    do {
      return try await HTTPServer.listen(
        host: configuration.address, port: configuration.port, group: group, responder: front)
    } catch {
      sandboxes.close()
      throw Fault(
        "listen on \(configuration.address):\(configuration.port)",
        "\(error); choose another port with --port, or stop the program that uses this one")
    }
  }

  private func operatorsPages(
    _ world: MovableWorld, _ alarms: Alarms, _ lambda: LambdaService, _ cloud: CloudServices, _ parts: EnvironmentParts,
    _ door: Door
  ) -> [String: Front.Page] {
    if world.offset > 0 {
      log.notice(
        "the clock is ahead of the host's", metadata: ["now": "\(world.now().iso8601)", "kept_in": "\(state.clock)"])
    }
    let clock = ClockPage(
      world: world, alarms: alarms, file: state.clock,
      isMovable: configuration.isLoopback || configuration.movableClock, log: log)
    let explanations = ExplainPage(lambda: lambda, cloud: cloud, parts: parts, defaults: place)
    return [
      ClockPage.path: { await clock.answer($0) },
      RulesPage.path: { _ in RulesPage.reply(cloud.bridge) },
      ExplainPage.path: { await explanations.answer($0) },
      EventsPage.path: { _ in EventsPage.reply(lambda.events) },
      LogsPage.path: { _ in LogsPage.reply(cloud.logs) },
      MetricsPage.path: { _ in await MetricsPage(lambda: lambda, cloud: cloud, door: door).reply() },
      TracesPage.path: { _ in TracesPage.reply(cloud.xray) },
      AuditPage.path: { _ in AuditPage.reply(cloud.audit) },
      MappingsPage.path: { _ in MappingsPage.reply(lambda) },
      FastStartPage.path: { _ in
        await FastStartPage.reply(parts.fastStart, parts.stemCells, parts.snapshots, parts.functionZygotes, parts.gate)
      },
    ]
  }

  private func codePackages(_ limits: LambdaLimits, _ world: any World) throws -> CodePackages {
    CodePackages(
      blobs: try Blobs(root: state.blobs), trees: CodeTrees(root: state.trees),
      images: FunctionImages(
        root: state.images, registries: configuration.registries, limits: limits, world: world, log: log),
      limits: limits, world: world)
  }

  /// What environments are made with.
  private func environmentParts(
    _ world: MovableWorld, _ limits: LambdaLimits, _ packages: CodePackages, _ runtimes: RuntimeCatalog,
    _ front: Front, _ iam: IAMService, _ logs: LogsService, _ xray: XRayService,
    _ metrics: LambdaMetrics
  ) throws -> EnvironmentParts {
    let root = try RuntimeRoot(bootstrapsIn: state.runtimes, outbound: configuration.outbound)
    let pools = configuration.pools
    let isFast = configuration.fastStart && configuration.isolation == .full
    let fastStart =
      isFast ? FastStart(sandboxes: sandboxes, root: root, pools: pools, world: world, log: log) : nil
    let parts = EnvironmentParts(
      world: world, limits: limits, sandboxes: sandboxes, packages: packages, runtimes: runtimes, root: root,
      platform: FunctionsFront(front), network: configuration.outbound ? .outbound : .loopback,
      credentials: { iam.executionCredentials(role: $0, session: $1, account: $2.account) }, log: log,
      fileSystems: configuration.fileSystems,
      fastStart: fastStart,
      stemCells: isFast
        ? StemCells(sandboxes: sandboxes, fastStart: fastStart, pools: pools, world: world, log: log) : nil,
      snapshots: isFast ? Snapshots(sandboxes: sandboxes, pools: pools, world: world, log: log) : nil,
      functionZygotes: isFast ? FunctionZygotes(sandboxes: sandboxes, pools: pools, world: world, log: log) : nil,
      logs: configuration.logStorage.bytes > 0 ? logs : nil,
      traces: configuration.traceStorage.bytes > 0 ? xray : nil, metrics: metrics,
      memory: configuration.memoryReserve?.bytes == 0 ? nil : KernelMemory(),
      gate: configuration.initialisations.map { InitialisationGate(slots: $0, world: world) })
    parts.makeAhead()
    return parts
  }

  /// Calls of services that somebody else runs leave by HTTP: this offer replaces the embedded service's.
  private func offerRemote(_ door: Door, _ security: CertificateTrust) {
    for endpoint in configuration.endpoints {
      switch endpoint.service {
      case "s3":
        let s3 = RemoteS3(endpoint, world: world, directory: state.incoming, security: security, log: log)
        door.offer(S3.GetObject.self) { (input, call) async throws(AWSError) in try await s3.get(input, call) }
      case "sns":
        let sns = RemoteSNS(endpoint, world: world, security: security)
        door.offer(SNS.Publish.self, isRemote: true) { (input, call) async throws(AWSError) in
          try await sns.publish(input, call)
        }
      case "sqs": RemoteSQS(endpoint, world: world, security: security).offer(at: door)
      default: preconditionFailure("no calls are known for a remote \(endpoint.service)")
      }
      log.info(
        "\(endpoint.service) is remote",
        metadata: [
          "endpoint": "\(endpoint.address)", "signed": endpoint.keys.map { "with the key \($0.id)" } ?? "no",
        ])
    }
  }

  private func announce(_ listener: HTTPListener) {
    Allocator.giveBack()  // the start takes more than what follows
    let port = listener.port ?? configuration.port
    let missing = sandboxes.guarantees.filter { !$0.holds }.map(\.name)
    let isolation =
      configuration.isolation == .none
      ? "none, as asked for"
      : missing.isEmpty ? "full" : "without \(missing.joined(separator: ", ")) (see martlet doctor)"
    let milliseconds = (world.monotonic() - begun) / 1_000_000
    log.info(
      "martlet \(MartletVersion.text) serves http://\(configuration.address):\(port)",
      metadata: ["isolation": "\(isolation)", "state": "\(state.path)", "started_in_ms": "\(milliseconds)"])
  }
}
