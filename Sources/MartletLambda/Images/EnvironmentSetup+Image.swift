// From a function of an image to the sandbox that it gets and the program that runs in it.
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
import MartletCore
import MartletSandbox
import MartletWire

extension EnvironmentSetup {
  /// - Throws: 502 if the image cannot be run here; the text names the fix.
  init(
    image: FunctionImage, of c: FunctionConfiguration, parts: EnvironmentParts, isProvisioned: Bool
  ) throws(AWSError) {
    guard parts.sandboxes.hasOwnRoot else {
      throw .runtimeMissing("Functions from container images cannot run: \(FunctionImages.needsRoot).")
    }
    let ready: FunctionImages.Ready
    do throws(Fault) {
      ready = try parts.packages.images.ready(image)
    } catch {
      let text = "The image \(image.resolvedURI) is not here: update the function's code, or start martlet again."
      throw AWSError.runtimeMissing(text).noting("\(error)")
    }
    let own = image.configuration
    let command =
      (own?.entryPoint.flatMap(EnvironmentSetup.given) ?? ready.settings.entryPoint)
      + (own?.command.flatMap(EnvironmentSetup.given) ?? ready.settings.command)
    guard let first = command.first else {
      throw .runtimeMissing(
        "The image \(image.resolvedURI) says nothing to run: set ImageConfig.Command or EntryPoint.")
    }
    self.image = nil
    containerToken = nil
    let hasPlatform = parts.platform != nil
    let systems = try c.fileSystemMounts(parts)
    specification = SandboxSpecification(
      memory: .mebibytes(c.memorySize), tmp: .mebibytes(c.ephemeralStorage),
      cpu: EnvironmentSetup.cpu(c), processes: parts.limits.processes,
      descriptors: parts.limits.descriptors, hostname: "sandbox",
      mounts: (systems.isEmpty ? ready.root.mounts : ready.root.mounts(opening: ["mnt"]))
        + [parts.root.resolver].compactMap { $0 } + systems,
      ports: [EnvironmentParts.runtimePort] + (hasPlatform ? [EnvironmentParts.platformPort] : []),
      network: parts.network)
    logStream = EnvironmentSetup.newLogStream(c, parts)
    let environment = EnvironmentSetup.environment(
      c, ready.settings, parts, logStream: logStream, isProvisioned: isProvisioned)
    let directory = own?.workingDirectory.flatMap { $0.isEmpty ? nil : $0 } ?? ready.settings.workingDirectory
    let program = SandboxProgram(
      arguments: [EnvironmentSetup.find(first, in: ready.root, environment, directory)] + command.dropFirst(),
      environment: environment.map { "\($0.name)=\($0.value)" }, workingDirectory: directory)
    self.program = program
    extensions = ready.extensions.map { name in
      (name, RuntimeProgram.extension("\(EnvironmentSetup.extensionDirectory)/\(name)", beside: program))
    }
  }

  /// Where extensions lie in an image.
  static let extensionDirectory = "/opt/extensions"

  private static func given(_ list: [String]) -> [String]? { list.isEmpty ? nil : list }

  private typealias Variables = [(name: String, value: String)]

  /// The image's variables, the function's over them, and the reserved ones over all.
  private static func environment(
    _ c: FunctionConfiguration, _ settings: ImageSettings, _ parts: EnvironmentParts, logStream: String,
    isProvisioned: Bool
  ) -> Variables {
    var variables: Variables = [
      ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("LAMBDA_TASK_ROOT", "/var/task"),
      ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ]
    func set(_ name: String, _ value: String) {
      if let index = variables.firstIndex(where: { $0.name == name }) {
        variables[index].value = value
      } else {
        variables.append((name, value))
      }
    }
    for text in settings.environment {
      let mark = text.firstIndex(of: "=") ?? text.endIndex
      set(String(text[..<mark]), String(text[mark...].dropFirst()))
    }
    set("TZ", ":UTC")
    if parts.platform != nil { set("AWS_ENDPOINT_URL", platformAddress) }
    for variable in c.environment ?? [] { set(variable.name, variable.value) }
    let paths = RuntimeProgram.Paths(api: "127.0.0.1:\(EnvironmentParts.runtimePort)")
    let reserved = RuntimeProgram.reserved(
      c, family: .provided, paths: paths, logStream: logStream,
      initializationType: EnvironmentSetup.initializationType(c, isProvisioned: isProvisioned))
    // The handler is the command's, and where code and runtime are is the image's.
    for (name, value) in reserved where !["_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"].contains(name) {
      set(name, value)
    }
    for (name, value) in RuntimeProgram.access(c, parts.credentials(c.role, c.name, c.place)) { set(name, value) }
    return variables
  }

  /// A program without a directory in its name is looked for on the PATH, as a shell would. What is nowhere stays as it
  /// is: starting it gives the error.
  private static func find(
    _ program: String, in root: ImageRoot, _ environment: Variables, _ directory: String
  ) -> String {
    guard !program.contains("/"), let path = environment.first(where: { $0.name == "PATH" })?.value else {
      return program
    }
    let candidates = path.split(separator: ":").map { "\($0)/\(program)" }
    return candidates.first { root.hasProgram($0, from: directory) } ?? program
  }
}
