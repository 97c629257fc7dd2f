// From a function's configuration to the sandbox that it gets and the program that runs in it.
import MartletCore
import MartletSandbox
import MartletStore

struct EnvironmentSetup {
  let specification: SandboxSpecification
  let program: SandboxProgram

  init(_ c: FunctionConfiguration, family: RuntimeFamily, served: RuntimeCatalog.Served, parts: EnvironmentParts) {
    let code = parts.packages.directory(c.code)
    let interpreter: Interpreter? = if case .interpreter(let found) = served { found } else { nil }
    let hasPlatform = parts.platform != nil
    specification = SandboxSpecification(
      memory: .mebibytes(c.memorySize), tmp: .mebibytes(c.ephemeralStorage),
      cpu: EnvironmentSetup.cpu(memorySize: c.memorySize), processes: parts.limits.processes,
      descriptors: parts.limits.descriptors, hostname: "sandbox",
      mounts: parts.root.mounts(family: family, interpreter: interpreter, code: code),
      ports: [EnvironmentParts.runtimePort] + (hasPlatform ? [EnvironmentParts.platformPort] : []),
      network: parts.network)
    var paths = RuntimeProgram.Paths(api: "127.0.0.1:\(EnvironmentParts.runtimePort)")
    if !parts.sandboxes.hasOwnRoot {
      paths.task = code
      paths.runtime = parts.root.bootstrapDirectory(family)
    }
    let stream = "\(parts.world.now().logDate)/[\(c.version)]\(randomHex(32, from: parts.world))"
    program = RuntimeProgram.make(
      c, served: served, family: family, paths: paths, logStream: stream,
      endpoint: hasPlatform ? "http://127.0.0.1:\(EnvironmentParts.platformPort)" : nil)
  }

  /// Thousandths of a core: one core per 1,769 MB.
  static func cpu(memorySize: Int) -> Int { max(1, memorySize * 1000 / 1769) }

  static func hasBootstrap(_ c: FunctionConfiguration, _ parts: EnvironmentParts) -> Bool {
    Files.exists(parts.packages.directory(c.code) + "/bootstrap")
  }
}
