// What a server can be told: by flags, by environment variables, else by default.
import Logging
import MartletCloud
import MartletCore
import MartletLambda
import MartletWire

package struct ServerConfiguration: Sendable {
  package enum Isolation: String, Sendable, CaseIterable { case full, none }
  package enum LogFormat: String, Sendable, CaseIterable { case text, json }

  package var address = "127.0.0.1"
  package var port = 4566
  package var stateDirectory: String
  package var account: Account
  package var region: Region
  package var isolation = Isolation.full
  package var outbound = false
  package var logLevel = Logger.Level.info
  package var logFormat = LogFormat.text
  /// Who the server becomes when it is started as root: a name or a number.
  package var user: String?
  package var idleTimeout = Duration.seconds(600)
  package var concurrency = 1000
  /// Environments that a function may gain in ten seconds, as on AWS; nil = any number.
  package var scalingRate: Int? = 1000
  /// Environments that initialise at once while every processor is at work; nil: any number.
  package var initialisations: Int? = InitialisationGate.processors
  /// Invocations each second for each unit of concurrency; nil = any number. AWS has 10.
  package var requestRate: Int?
  /// Memory of the host that is left free: nil = a part of it, 0 = nobody looks at it.
  package var memoryReserve: ByteCount?
  /// The clock can be moved though the server listens beyond loopback.
  package var movableClock = false
  /// Services that somebody else runs.
  package var endpoints: [RemoteEndpoint] = []
  /// Where traces, metrics and logs are exported to; nil = nowhere.
  package private(set) var telemetry: OTLPSettings?
  /// A file of certificates (PEM) that calls over HTTPS trust besides the host's.
  package var authorities: String?
  /// Of streamed responses after their first 6 MiB, each second; nil = no limit.
  package var streamingRate: ByteCount?
  /// How container images are fetched.
  package var registries = ImageRegistry.Settings()
  /// `IDENTIFIER=PATH`: interpreters that serve an identifier whatever their version.
  package var runtimes: [String] = []
  /// What stands for the access points of functions.
  package var fileSystems = FileSystemDirectories()
  /// Interpreters that are up are forked into environments (docs/fast-start.md).
  package var fastStart = true
  /// What is made ahead of environments.
  package var pools = PoolSizes()
  /// Invocations are counted (docs/metrics.md).
  package var metrics = true
  /// What log events may take on disk.
  package var logStorage = ByteCount.mebibytes(2048)
  /// What the segments of traces may take on disk; 0 = nothing is traced.
  package var traceStorage = ByteCount.mebibytes(1024)
  /// Threads that move bytes.
  package var threads: Int
  /// How long these wait awake for more, where that pays; zero: they sleep at once.
  package var spin: Duration = InitialisationGate.processors > 1 ? .microseconds(100) : .zero
  /// The path of `martlet-sandbox`.
  package var sandboxExecutable: String

  package init(stateDirectory: String, account: Account, region: Region, threads: Int, sandboxExecutable: String) {
    self.stateDirectory = stateDirectory
    self.account = account
    self.region = region
    self.threads = threads
    self.sandboxExecutable = sandboxExecutable
  }

  /// Exports traces, metrics and logs, if flags or OpenTelemetry's variables say where to (docs/opentelemetry.md).
  /// - Throws: a `Fault` that says which of them is wrong.
  package mutating func exportTelemetry(
    endpoint: String?, headers: [String], variables: [String: String]
  ) throws(Fault) {
    telemetry = try OTLPSettings(endpoint: endpoint, headers: headers, variables: variables)
  }

  /// True if only this host can reach the server.
  package var isLoopback: Bool {
    address == "localhost" || address == "::1"
      || address.hasPrefix("127.") && address.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// Where state lies unless told otherwise: /var/lib/martlet for root, else below the user's home.
  package static func defaultStateDirectory(isRoot: Bool, environment: [String: String]) -> String {
    if isRoot { return "/var/lib/martlet" }
    if let directory = environment["XDG_STATE_HOME"], directory.hasPrefix("/") { return directory + "/martlet" }
    return (environment["HOME"] ?? "/tmp") + "/.local/state/martlet"
  }
}
