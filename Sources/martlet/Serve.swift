// `martlet serve`: runs the server.
import ArgumentParser
import Logging
import MartletCore
import MartletLambda
import MartletServer
import MartletWire

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the server until it is told to stop.",
    discussion: """
      Each option can also be given by the environment variable named in its help. Started as root, only \
      martlet-sandbox keeps the privilege; the server itself becomes an unprivileged user. SIGTERM or Ctrl-C finishes \
      what is under way.
      """)

  @Option(help: "Address to listen on (MARTLET_ADDRESS). Whoever can reach it can run code here.")
  var address: String?

  @Option(help: "Port to listen on, 0 for any free one (MARTLET_PORT; default 4566).")
  var port: Int?

  @Option(
    name: .customLong("state"),
    help: "Directory for everything the server keeps (MARTLET_STATE; default /var/lib/martlet as root).")
  var state: String?

  @Option(
    help: "Account of callers whose access key does not name one: 12 digits (MARTLET_ACCOUNT; default 000000000000).")
  var account: String?

  @Option(help: "Region of callers whose signature does not name one (MARTLET_REGION; default us-east-1).")
  var region: String?

  @Option(help: "full, or none: run functions as plain processes that see this host (MARTLET_ISOLATION; default full).")
  var isolation: String?

  @Option(help: "User to become when started as root: a name, a number, or root (MARTLET_USER).")
  var user: String?

  @Flag(
    help: "Let functions reach the network through this host (MARTLET_OUTBOUND=1). Default: loopback and Martlet only.")
  var outbound = false

  @Option(
    name: .customLong("idle-timeout"),
    help: "Seconds that an idle environment is kept (MARTLET_IDLE_TIMEOUT; default 600).")
  var idleTimeout: Int?

  @Option(
    name: .customLong("endpoint"),
    help: ArgumentHelp(
      "A service that somebody else runs, such as s3=http://127.0.0.1:9000 or sqs=...; may be repeated (MARTLET_ENDPOINT_S3, MARTLET_ENDPOINT_SQS). See docs/remote-endpoints.md.",
      valueName: "service=url"))
  var endpoints: [String] = []

  @Option(
    name: .customLong("ca-file"),
    help: "Certificates (PEM) that calls over HTTPS trust besides this host's (MARTLET_CA_FILE).")
  var authorities: String?

  @Option(
    name: .customLong("otlp-endpoint"),
    help: ArgumentHelp(
      "Collector of OpenTelemetry that gets traces, metrics and logs over OTLP/HTTP (OTEL_EXPORTER_OTLP_ENDPOINT and the other standard variables). Default: none. See docs/opentelemetry.md.",
      valueName: "url"))
  var otlpEndpoint: String?

  @Option(
    name: .customLong("otlp-header"),
    help: ArgumentHelp(
      "Header of the requests to the collector; may be repeated. Every user of a host can read its command lines, so keys belong into OTEL_EXPORTER_OTLP_HEADERS.",
      valueName: "name=value"))
  var otlpHeaders: [String] = []

  @Option(
    name: .customLong("streaming-rate"),
    help: ArgumentHelp(
      "Bytes per second of a streamed response after its first 6 MiB; AWS has 2097152, and without it there is no such limit (MARTLET_STREAMING_RATE).",
      valueName: "bytes"))
  var streamingRate: Int?

  @Option(
    name: .customLong("registry-credentials"),
    help:
      "File with the credentials of image registries, as skopeo login --authfile writes it (MARTLET_REGISTRY_CREDENTIALS)."
  )
  var registryCredentials: String?

  @Option(
    name: .customLong("insecure-registry"),
    help: ArgumentHelp(
      "Image registry that is spoken to without TLS, or whose certificate nobody has signed; may be repeated (MARTLET_INSECURE_REGISTRIES, with commas). See docs/images.md.",
      valueName: "host:port"))
  var insecureRegistries: [String] = []

  @Option(
    name: .customLong("runtime"),
    help: ArgumentHelp(
      "The interpreter for a runtime, whatever its version, such as ruby3.2=/usr/bin/ruby3.1; may be repeated (MARTLET_RUNTIMES, separated by commas).",
      valueName: "identifier=path"))
  var runtimes: [String] = []

  @Option(
    name: .customLong("file-system"),
    help: ArgumentHelp(
      "A directory that stands for an access point of FileSystemConfigs; may be repeated (MARTLET_FILE_SYSTEMS, with commas). See docs/file-systems.md.",
      valueName: "arn=directory"))
  var fileSystems: [String] = []

  @Option(help: "Concurrent executions per account and region (MARTLET_CONCURRENCY; default 1000).")
  var concurrency: Int?

  @Option(
    name: .customLong("scaling-rate"),
    help: ArgumentHelp(
      "Environments that a function may gain within ten seconds; 0 for any number (MARTLET_SCALING_RATE; default 1000, as on AWS). See docs/scaling.md."
    ))
  var scalingRate: Int?

  @Option(
    name: .customLong("request-rate"),
    help: ArgumentHelp(
      "Invocations per second for each unit of concurrency: AWS has 10; 0 for any number (MARTLET_REQUEST_RATE; default 0). See docs/scaling.md."
    ))
  var requestRate: Int?

  @Option(
    help: ArgumentHelp(
      "Environments that initialise at once while every processor is at work, the others wait; 0 for any number (MARTLET_INITIALISATIONS; default: as many as processors). See docs/scaling.md."
    ))
  var initialisations: Int?

  @Option(
    name: .customLong("memory-reserve"),
    help: ArgumentHelp(
      "Mebibytes of the host's memory that environments leave free; 0: it is never looked at (MARTLET_MEMORY_RESERVE; default a fiftieth of it, from 64 to 512). See docs/scaling.md."
    ))
  var memoryReserve: Int?

  @Option(
    name: .customLong("log-storage"),
    help: ArgumentHelp(
      "Mebibytes that the log events of functions may take on disk; the oldest go first, and 0 keeps none (MARTLET_LOG_STORAGE; default 2048). See docs/logs.md."
    ))
  var logStorage: Int?

  @Option(
    name: .customLong("trace-storage"),
    help:
      "Mebibytes that the segments of traces may take on disk; the oldest go first, and with 0 functions are not traced (MARTLET_TRACE_STORAGE; default 1024). See docs/tracing.md."
  )
  var traceStorage: Int?

  @Flag(
    name: .customLong("movable-clock"),
    help: ArgumentHelp(
      "Let whoever reaches the server move its clock (MARTLET_MOVABLE_CLOCK=1). Default: only where it listens on loopback. See docs/clock.md."
    ))
  var movableClock = false

  @Option(
    name: .customLong("fast-start"),
    help: "on, or off: start every interpreter anew (MARTLET_FAST_START; default on). See docs/fast-start.md.")
  var fastStart: String?

  @Option(
    help:
      "What is made ahead of environments: sandboxes, and at most as many forks of an interpreter; 0: nothing (MARTLET_POOLS; default: one for each GiB of the host's memory, up to 64). See docs/fast-start.md."
  )
  var pools: Int?

  @Option(
    help:
      "on, or off: count nothing of functions, for CloudWatch, Prometheus and martlet cost (MARTLET_METRICS; default on). See docs/metrics.md."
  )
  var metrics: String?

  @Option(help: "Threads that move bytes (MARTLET_THREADS; default half of the cores).")
  var threads: Int?

  @Option(
    help:
      "Microseconds that these wait awake for an answer, while answers come that soon and nobody else wants the processor; 0: they sleep at once (MARTLET_SPIN; default 100, with one processor 0)."
  )
  var spin: Int?

  @Option(
    name: .customLong("log-level"),
    help: "trace, debug, info, notice, warning, error or critical (MARTLET_LOG_LEVEL; default info).")
  var logLevel: String?

  @Option(name: .customLong("log-format"), help: "text or json (MARTLET_LOG_FORMAT; default text).")
  var logFormat: String?

  func run() throws {
    let configuration = try makeConfiguration()
    do {
      let node = try Node(configuration).prepare()
      try MainThread.wait { try await node.run() }
    } catch let fault as Fault {
      throw CleanExit.failure("\(fault)")
    }
  }

  private func makeConfiguration() throws -> ServerConfiguration {
    let variables = ProcessVariables.all
    func text(_ option: String?, _ variable: String) -> String? {
      option ?? variables[variable].flatMap { $0.isEmpty ? nil : $0 }
    }
    let accountText = text(account, "MARTLET_ACCOUNT") ?? "000000000000"
    guard let account = Account(accountText) else {
      throw ValidationError("--account: \(accountText) is not 12 digits")
    }
    let regionText = text(region, "MARTLET_REGION") ?? "us-east-1"
    guard let region = Region(regionText) else { throw ValidationError("--region: \(regionText) is not a region") }
    var configuration = ServerConfiguration(
      stateDirectory: text(state, "MARTLET_STATE")
        ?? ServerConfiguration.defaultStateDirectory(isRoot: Privileges.isRoot, environment: variables),
      account: account, region: region,
      threads: try number(threads, "MARTLET_THREADS", 1...256) ?? max(1, Host.cores / 2),
      sandboxExecutable: Host.sandboxExecutable(variables))
    configuration.address = text(address, "MARTLET_ADDRESS") ?? configuration.address
    configuration.port = try number(port, "MARTLET_PORT", 0...65535) ?? configuration.port
    configuration.user = text(user, "MARTLET_USER")
    configuration.runtimes = Runtime.chosen(runtimes, variables)
    do {
      configuration.endpoints = try RemoteEndpoint.all(flags: endpoints, variables: variables)
    } catch {
      throw ValidationError("\(error)")
    }
    do {
      configuration.fileSystems = try FileSystemDirectories(
        flags: fileSystems + (variables["MARTLET_FILE_SYSTEMS"] ?? "").split(separator: ",").map(String.init))
    } catch {
      throw ValidationError("\(error)")
    }
    configuration.authorities = text(authorities, "MARTLET_CA_FILE")
    try exportTelemetry(&configuration, variables)
    configuration.streamingRate = (streamingRate ?? variables["MARTLET_STREAMING_RATE"].flatMap { Int($0) }).map {
      .bytes(max(1, $0))
    }
    configuration.registries.credentials = text(registryCredentials, "MARTLET_REGISTRY_CREDENTIALS")
    configuration.registries.insecure = Set(
      insecureRegistries + (variables["MARTLET_INSECURE_REGISTRIES"] ?? "").split(separator: ",").map(String.init))
    configuration.registries.path = variables["PATH"] ?? configuration.registries.path
    configuration.outbound = outbound || ["1", "true", "yes"].contains(variables["MARTLET_OUTBOUND"] ?? "")
    configuration.movableClock =
      movableClock || ["1", "true", "yes"].contains(variables["MARTLET_MOVABLE_CLOCK"] ?? "")
    try limit(&configuration)
    configuration.isolation = try choice(text(isolation, "MARTLET_ISOLATION"), "--isolation") ?? .full
    let switched: Switch = try choice(text(fastStart, "MARTLET_FAST_START"), "--fast-start") ?? .on
    configuration.fastStart = switched == .on
    let counted: Switch = try choice(text(metrics, "MARTLET_METRICS"), "--metrics") ?? .on
    configuration.metrics = counted == .on
    configuration.logFormat = try choice(text(logFormat, "MARTLET_LOG_FORMAT"), "--log-format") ?? .text
    configuration.logLevel = try choice(text(logLevel, "MARTLET_LOG_LEVEL"), "--log-level") ?? .info
    return configuration
  }

  /// How much, how long and how often.
  private func limit(_ configuration: inout ServerConfiguration) throws {
    if let seconds = try number(idleTimeout, "MARTLET_IDLE_TIMEOUT", 1...86_400) {
      configuration.idleTimeout = .seconds(seconds)
    }
    if let storage = try number(logStorage, "MARTLET_LOG_STORAGE", 0...100_000_000) {
      configuration.logStorage = .mebibytes(storage)
    }
    if let storage = try number(traceStorage, "MARTLET_TRACE_STORAGE", 0...100_000_000) {
      configuration.traceStorage = .mebibytes(storage)
    }
    if let reserve = try number(memoryReserve, "MARTLET_MEMORY_RESERVE", 0...100_000_000) {
      configuration.memoryReserve = .mebibytes(reserve)
    }
    if let pools = try number(pools, "MARTLET_POOLS", PoolSizes.range) {
      configuration.pools = PoolSizes(pools)
    } else if let memory = KernelMemory().read()?.total {
      configuration.pools = PoolSizes(memory: .bytes(memory))
    }
    if let rate = try number(scalingRate, "MARTLET_SCALING_RATE", 0...1_000_000) {
      configuration.scalingRate = rate == 0 ? nil : rate
    }
    if let slots = try number(initialisations, "MARTLET_INITIALISATIONS", 0...100_000) {
      configuration.initialisations = slots == 0 ? nil : slots
    }
    if let limit = try number(spin, "MARTLET_SPIN", 0...10_000) { configuration.spin = .microseconds(limit) }
    if let rate = try number(requestRate, "MARTLET_REQUEST_RATE", 0...1_000_000) {
      configuration.requestRate = rate == 0 ? nil : rate
    }
    configuration.concurrency = try number(concurrency, "MARTLET_CONCURRENCY", 1...100_000) ?? configuration.concurrency
  }

  private func number(_ option: Int?, _ variable: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let value = option ?? ProcessVariables.all[variable].flatMap({ $0.isEmpty ? nil : Int($0) ?? Int.min }) else {
      return nil
    }
    guard range.contains(value) else {
      throw ValidationError(
        "\(Serve.option(variable)) (\(variable)): a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private func exportTelemetry(_ configuration: inout ServerConfiguration, _ variables: [String: String]) throws {
    do {
      try configuration.exportTelemetry(endpoint: otlpEndpoint, headers: otlpHeaders, variables: variables)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// `--idle-timeout` of `MARTLET_IDLE_TIMEOUT`.
  private static func option(_ variable: String) -> String {
    "--" + variable.dropFirst("MARTLET_".count).lowercased().split(separator: "_").joined(separator: "-")
  }

  private enum Switch: String, CaseIterable { case on, off }

  private func choice<T: RawRepresentable & CaseIterable>(_ text: String?, _ option: String) throws -> T?
  where T.RawValue == String {
    guard let text else { return nil }
    guard let value = T(rawValue: text) else {
      throw ValidationError("\(option): \(text) is not one of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }
}

extension CleanExit {
  /// Says what is wrong on standard error and exits with 1.
  static func failure(_ text: String) -> any Error {
    Console.complain("martlet: \(text)")
    return ExitCode(1)
  }
}
