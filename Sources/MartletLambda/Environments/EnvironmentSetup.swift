// From a function's configuration to the sandbox that it gets and the program that runs in it.
import Glibc
import MartletCore
import MartletSandbox
import MartletStore

struct EnvironmentSetup: Sendable {
  var specification: SandboxSpecification
  var program: SandboxProgram
  let logStream: String
  /// See `Environment.containerToken`.
  let containerToken: String?
  /// What the runtime is made of, if that is an image.
  let image: RuntimeImage?
  /// What is to be started before it, by name.
  let extensions: [(name: String, program: SandboxProgram)]

  init(
    _ c: FunctionConfiguration, family: RuntimeFamily, served: RuntimeCatalog.Served, image: RuntimeImage? = nil,
    parts: EnvironmentParts, isProvisioned: Bool = false
  ) throws(AWSError) {
    self.image = image
    let interpreter: Interpreter? = if case .interpreter(let found) = served { found } else { nil }
    let code = parts.packages.directory(c.code, compiledFor: parts.sandboxes.hasOwnRoot ? interpreter : nil)
    let layers = parts.packages.layerDirectory(c, compiledFor: parts.sandboxes.hasOwnRoot ? interpreter : nil)
    let hasPlatform = parts.platform != nil
    let root = try image.map { (image) throws(AWSError) in try EnvironmentSetup.root(of: image, parts) }
    let hasOwnBootstrap =
      c.debugging == nil && interpreter != nil && root?.hasProgram(RuntimeImage.bootstrap, from: "/") == true
    let systems = try c.fileSystemMounts(parts)
    let mounts =
      root.map {
        parts.root.mounts(
          root: $0, bootstrap: interpreter == nil || hasOwnBootstrap ? nil : family, code: code, layers: layers,
          hasFileSystems: !systems.isEmpty)
      } ?? parts.root.mounts(family: family, interpreter: interpreter, code: code, layers: layers)
    var specification = SandboxSpecification(
      memory: .mebibytes(c.memorySize + (c.debugging == nil ? 0 : EnvironmentSetup.debuggerMemory)),
      tmp: .mebibytes(c.ephemeralStorage),
      cpu: EnvironmentSetup.cpu(c), processes: parts.limits.processes,
      descriptors: parts.limits.descriptors, hostname: "sandbox",
      mounts: parts.sandboxes.hasOwnRoot ? mounts + systems : [],
      ports: parts.usualPorts + (c.debugging == nil ? [] : [EnvironmentParts.debugPort]),
      network: parts.network)
    specification.linkPorts = EnvironmentSetup.daemonPorts(c, parts)
    // Where initialisations need not wait for each other, they need not wait for others either.
    specification.yields = parts.gate != nil && c.debugging == nil
    self.specification = specification
    var paths = RuntimeProgram.Paths(api: "127.0.0.1:\(EnvironmentParts.runtimePort)")
    if !parts.sandboxes.hasOwnRoot {
      paths.isOwnRoot = false
      paths.task = code
      if let layers { paths.layers = layers }
      paths.runtime = parts.root.bootstrapDirectory(family)
    }
    if paths.isOwnRoot, root == nil { paths.javaArchive = interpreter.flatMap { parts.root.javaArchive($0) } }
    logStream = EnvironmentSetup.newLogStream(c, parts)
    containerToken = c.isSnapStarted ? randomHex(64, from: parts.world) : nil
    let program = RuntimeProgram.make(
      c, served: hasOwnBootstrap ? .bootstrap : served, family: family, paths: paths,
      bootstrap: hasOwnBootstrap
        ? RuntimeImage.bootstrap
        : EnvironmentSetup.isBootstrapInLayers(c, parts)
          ? "\(paths.layers)/bootstrap" : "\(paths.task)/bootstrap",
      logStream: logStream,
      endpoint: hasPlatform ? EnvironmentSetup.platformAddress : nil,
      initializationType: EnvironmentSetup.initializationType(c, isProvisioned: isProvisioned),
      credentials: containerToken.map { .container(token: $0) }
        ?? .variables(parts.credentials(c.role, c.name, c.place)))
    self.program = program
    extensions = (layers.map { EnvironmentSetup.extensionNames(in: "\($0)/extensions") } ?? []).map { name in
      (name, RuntimeProgram.extension("\(paths.layers)/extensions/\(name)", beside: program))
    }
  }

  private static func root(of image: RuntimeImage, _ parts: EnvironmentParts) throws(AWSError) -> ImageRoot {
    guard parts.sandboxes.hasOwnRoot else {
      throw .runtimeMissing("Runtimes from container images cannot run: \(FunctionImages.needsRoot).")
    }
    do throws(Fault) { return try ImageRoot(path: image.tree) } catch { throw .service("a runtime's image: \(error)") }
  }

  /// Where the X-Ray daemon is: its UDP port always, because callers may trace any function; its TCP port, which few
  /// SDKs ask, only where the function itself is traced.
  private static func daemonPorts(
    _ c: FunctionConfiguration, _ parts: EnvironmentParts
  ) -> [SandboxSpecification.LinkPort] {
    guard c.isTracingActive, parts.traces != nil else { return parts.usualLinkPorts }
    return parts.usualLinkPorts + [
      SandboxSpecification.LinkPort(port: EnvironmentParts.daemonPort, isDatagram: false)
    ]
  }

  /// Mebibytes for a debugger beside the function.
  private static let debuggerMemory = 512

  static func newLogStream(_ c: FunctionConfiguration, _ parts: EnvironmentParts) -> String {
    // In a group that several functions may have, the stream says whose it is.
    let owner = c.logging.group == "/aws/lambda/\(c.name)" ? "" : c.name
    return "\(parts.world.now().logDate)/\(owner)[\(c.version)]\(randomHex(32, from: parts.world))"
  }

  /// Thousandths of a core: one core per 1,769 MB, or as many GiB as the function's capacity provider is asked for.
  static func cpu(_ c: FunctionConfiguration) -> Int {
    max(1, c.hasCapacityProvider ? Int(c.managedCores * 1000) : c.memorySize * 1000 / 1769)
  }

  static func initializationType(_ c: FunctionConfiguration, isProvisioned: Bool) -> String {
    if c.environmentConcurrency != nil { return "lambda-managed-instances" }
    if c.isSnapStarted { return "snap-start" }
    return isProvisioned ? "provisioned-concurrency" : "on-demand"
  }

  /// The variables with the addresses that the listeners really have.
  /// - Parameter links: the ports of those that would be on the link-local address.
  static func environment(_ variables: [String], listeners: [Int], links: [Int]) -> [String] {
    variables.map { variable in
      if let port = links.first {
        if variable == "AWS_XRAY_DAEMON_ADDRESS=\(RuntimeProgram.daemonAddress)" {
          // Two ports that are not the same are named apart.
          return "AWS_XRAY_DAEMON_ADDRESS="
            + (links.count > 1
              ? "tcp:127.0.0.1:\(links[1]) udp:127.0.0.1:\(port)" : "127.0.0.1:\(port)")
        }
        if variable.hasPrefix("_AWS_XRAY_DAEMON_ADDRESS=") {
          return "_AWS_XRAY_DAEMON_ADDRESS=127.0.0.1"
        }
        if variable.hasPrefix("_AWS_XRAY_DAEMON_PORT=") { return "_AWS_XRAY_DAEMON_PORT=\(port)" }
      }
      if variable.hasPrefix("AWS_LAMBDA_RUNTIME_API="), let port = listeners.first {
        return "AWS_LAMBDA_RUNTIME_API=127.0.0.1:\(port)"
      }
      if variable == "AWS_CONTAINER_CREDENTIALS_FULL_URI=\(credentialsAddress)", let port = listeners.first {
        return "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:\(port)\(Environment.credentialsPath)"
      }
      if variable == "AWS_ENDPOINT_URL=\(platformAddress)", listeners.count > 1 {
        return "AWS_ENDPOINT_URL=http://127.0.0.1:\(listeners[1])"
      }
      if variable == RuntimeProgram.debugVariable, let port = listeners.last {
        return "MARTLET_DEBUG=127.0.0.1:\(port)"
      }
      return variable
    }
  }

  /// The platform's own API, as a function in a network of its own reaches it.
  static let platformAddress = "http://127.0.0.1:\(EnvironmentParts.platformPort)"

  /// Where the credentials of the function's role are, if they are not in the variables.
  static let credentialsAddress = "http://127.0.0.1:\(EnvironmentParts.runtimePort)\(Environment.credentialsPath)"

  /// The executable files of a directory; links count as such, because where they lead is known in the sandbox only.
  static func extensionNames(in directory: String) -> [String] {
    Files.names(in: directory).filter { name in
      var status = stat()
      guard lstat("\(directory)/\(name)", &status) == 0 else { return false }
      let kind = status.st_mode & S_IFMT
      return kind == S_IFLNK || (kind == S_IFREG && status.st_mode & 0o111 != 0)
    }.sorted()
  }

  /// True if there is something that an OS-only runtime can start.
  static func hasBootstrap(_ c: FunctionConfiguration, _ parts: EnvironmentParts) -> Bool {
    Files.exists(parts.packages.directory(c.code) + "/bootstrap") || isBootstrapInLayers(c, parts)
  }

  /// A layer's bootstrap is started only if the function has none of its own.
  private static func isBootstrapInLayers(_ c: FunctionConfiguration, _ parts: EnvironmentParts) -> Bool {
    guard let layers = parts.packages.layerDirectory(c) else { return false }
    return !Files.exists(parts.packages.directory(c.code) + "/bootstrap") && Files.exists(layers + "/bootstrap")
  }
}
