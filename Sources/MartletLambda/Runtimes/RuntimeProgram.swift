// What is started in an execution environment, and with which variables (reference/runtime-api.md 1.7, 1.8).
import MartletCore
import MartletSandbox
import MartletWire

package enum RuntimeProgram {
  /// Where things are, as the function sees them; without a root of its own these are the host's paths.
  package struct Paths: Sendable {
    var task = "/var/task"
    var runtime = "/var/runtime"
    /// The layers, as one tree.
    var layers = "/opt"
    var api: String
    var isOwnRoot = true
    /// Classes that Java finds loaded.
    var javaArchive: String?

    func program(_ interpreter: Interpreter) -> String { isOwnRoot ? interpreter.pathInRoot : interpreter.path }
  }

  /// How a function comes by the credentials of its role.
  enum Credentials {
    case variables(TemporaryCredentials?)
    /// Asked for at the Runtime API's address, with this token.
    case container(token: String)
  }

  /// - Parameter bootstrap: what OS-only runtimes start.
  static func make(
    _ configuration: FunctionConfiguration, served: RuntimeCatalog.Served, family: RuntimeFamily, paths: Paths,
    bootstrap: String, logStream: String, endpoint: String?, initializationType: String,
    credentials: Credentials
  ) -> SandboxProgram {
    let arguments: [String]
    switch served {
    case .bootstrap, .missing:
      arguments = [bootstrap]
    case .interpreter(let interpreter) where family == .python:
      let file = configuration.debugging == nil ? "bootstrap" : "debug"
      arguments = [paths.program(interpreter), "\(paths.runtime)/\(file).py"]
    case .interpreter(let interpreter) where family == .ruby:
      arguments = [paths.program(interpreter), "\(paths.runtime)/bootstrap.rb"]
    case .interpreter(let interpreter) where family == .java:
      arguments = java(configuration, interpreter, paths)
    case .interpreter(let interpreter):
      arguments = [
        paths.program(interpreter), "--max-old-space-size=\(max(64, configuration.memorySize * 9 / 10))",
        "\(paths.runtime)/\(configuration.debugging == nil ? "bootstrap" : "debug").mjs",
      ]
    }
    return SandboxProgram(
      arguments: ExecutionWrapper.wrap(arguments, configuration, family: family, paths: paths),
      environment: environment(
        configuration, family: family, served: served, paths: paths, logStream: logStream, endpoint: endpoint,
        initializationType: initializationType, credentials: credentials)
        + (configuration.debugging == nil ? [] : [debugVariable]),
      workingDirectory: paths.task)
  }

  /// An extension, with those of the runtime's variables that extensions get.
  static func `extension`(_ path: String, beside runtime: SandboxProgram) -> SandboxProgram {
    let environment = runtime.environment.filter { variable in
      !variable.hasPrefix("_") && !runtimesOwn.contains { variable.hasPrefix("\($0)=") }
    }
    return SandboxProgram(arguments: [path], environment: environment, workingDirectory: "/")
  }

  /// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#runtimes-extensions-api-reg
  private static let runtimesOwn = [
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "MARTLET_DEBUG",
  ]

  /// Where a runtime under a debugger calls (`Runtimes/python/debug.py`).
  static let debugVariable = "MARTLET_DEBUG=127.0.0.1:\(EnvironmentParts.debugPort)"

  /// The X-Ray daemon, as SDKs name it.
  static let daemonAddress = "\(SandboxSpecification.linkAddress):\(EnvironmentParts.daemonPort)"

  /// Platform variables first; the function's own may replace those that are not reserved.
  private static func environment(
    _ c: FunctionConfiguration, family: RuntimeFamily, served: RuntimeCatalog.Served, paths: Paths, logStream: String,
    endpoint: String?, initializationType: String, credentials: Credentials
  ) -> [String] {
    var variables = common(paths)
    switch family {
    case .python: variables += [("LC_CTYPE", "C.UTF-8"), ("PYTHONPATH", pythonPath(c, paths))]
    case .nodejs:
      let major = RuntimeCatalog.identifier(c.runtime ?? "")?.version ?? ""
      variables.append(
        (
          "NODE_PATH",
          "\(paths.layers)/nodejs/node\(major)/node_modules:\(paths.layers)/nodejs/node_modules:\(paths.runtime)/node_modules:\(paths.runtime):\(paths.task)"
        ))
    case .ruby: variables += ruby(served, paths)
    // Java takes a locale whole or not at all, and few hosts have AWS's en_US.UTF-8.
    case .java: variables.append(("LC_ALL", "C.UTF-8"))
    default: break
    }
    if let endpoint { variables.append(("AWS_ENDPOINT_URL", endpoint)) }
    for variable in c.environment ?? [] {
      if let index = variables.firstIndex(where: { $0.0 == variable.name }) {
        variables[index].1 = variable.value
      } else {
        variables.append((variable.name, variable.value))
      }
    }
    variables += reserved(
      c, family: family, paths: paths, logStream: logStream, initializationType: initializationType)
    switch credentials {
    case .variables(let found): variables += access(c, found)
    case .container(let token):
      variables += [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", EnvironmentSetup.credentialsAddress),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", token),
      ]
    }
    return variables.map { "\($0.0)=\($0.1)" }
  }

  /// What every runtime has.
  private static func common(_ paths: Paths) -> [(String, String)] {
    let (runtime, task) = (paths.runtime, paths.task)
    return [
      ("LANG", "en_US.UTF-8"), ("TZ", ":UTC"), ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
      ("AWS_XRAY_DAEMON_ADDRESS", daemonAddress),
      ("_AWS_XRAY_DAEMON_ADDRESS", SandboxSpecification.linkAddress),
      ("_AWS_XRAY_DAEMON_PORT", String(EnvironmentParts.daemonPort)),
      ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:\(paths.layers)/bin"),
      (
        "LD_LIBRARY_PATH",
        "/var/lang/lib:/lib64:/usr/lib64:\(runtime):\(runtime)/lib:\(task):\(task)/lib:\(paths.layers)/lib"
      ),
    ]
  }

  /// Where Python's bootstrap is in a root of its own.
  static let pythonBootstrap = "\(Paths(api: "").runtime)/bootstrap.py"

  static let zygoteFile = "\(Paths(api: "").runtime)/.//zygote.py"

  /// An interpreter that is forked into environments.
  static func pythonZygote(_ interpreter: Interpreter) -> SandboxProgram {
    let paths = Paths(api: "")
    // As long as the bootstrap's: a fork puts that in its place, for those who look at the processes.
    let program = zygoteFile
    let variables = common(paths) + [("LC_CTYPE", "C.UTF-8"), ("PYTHONPATH", paths.runtime)]
    return SandboxProgram(
      arguments: [interpreter.pathInRoot, program],
      environment: variables.map { "\($0.0)=\($0.1)" }, workingDirectory: "/")
  }

  /// The flags that AWS starts Java with, less what JAVA_TOOL_OPTIONS says: these would win over it.
  private static func java(_ c: FunctionConfiguration, _ interpreter: Interpreter, _ paths: Paths) -> [String] {
    let said = c.environment?.first { $0.name == "JAVA_TOOL_OPTIONS" }?.value ?? ""
    var flags = ["-Xshare:auto", "-Dfile.encoding=UTF-8", "-Duser.language=en", "-Duser.country=US"]
    if !["-Xmx", "MaxHeapSize", "MaxRAM"].contains(where: { said.contains($0) }) {
      flags.append("-XX:MaxHeapSize=\(c.memorySize * 1024 * 85 / 100)k")
    }
    if !said.contains("GC") { flags.append("-XX:+UseSerialGC") }
    if !said.contains("Tiered") { flags.append("-XX:TieredStopAtLevel=1") }
    // It fits what it was made with: with other flags Java would say in the log that it does not.
    let isPlain = !(c.environment ?? []).contains { variable in
      ["JAVA_", "_JAVA_", "JDK_"].contains { variable.name.hasPrefix($0) }
    }
    if isPlain, let archive = paths.javaArchive { flags.append(javaArchiveFlag + archive) }
    return [paths.program(interpreter)] + flags + [
      "-cp", "\(paths.runtime)/bootstrap.jar", "martlet.Bootstrap", paths.layers,
    ]
  }

  static let javaArchiveFlag = "-XX:SharedArchiveFile="

  /// Prints an archive of what our bootstrap loads, and nothing else.
  static func javaArchiver(_ interpreter: Interpreter) -> SandboxProgram {
    let script = """
      "$@" >/dev/null 2>&1 && exec cat /tmp/classes
      """
    return SandboxProgram(
      arguments: [
        "/bin/sh", "-c", script, "sh", interpreter.pathInRoot, "-XX:ArchiveClassesAtExit=/tmp/classes",
        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-cp", "/var/runtime/bootstrap.jar",
        "martlet.Bootstrap", "/opt", "--martlet-rehearsal",
      ],
      environment: ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"], workingDirectory: "/")
  }

  /// AWS's, and after them where this interpreter keeps the gems that came with it.
  private static func ruby(_ served: RuntimeCatalog.Served, _ paths: Paths) -> [(String, String)] {
    guard case .interpreter(let interpreter) = served else { return [] }
    let numbers = interpreter.version.split(separator: ".")
    let version = numbers.count < 2 ? interpreter.version : "\(numbers[0]).\(numbers[1]).0"
    var gems = [
      "\(paths.task)/vendor/bundle/ruby/\(version)", "\(paths.layers)/ruby/gems/\(version)", paths.runtime,
      "\(paths.runtime)/ruby/\(version)",
      "\(paths.isOwnRoot ? interpreter.prefixInRoot : interpreter.prefix)/lib/ruby/gems/\(version)",
    ]
    if interpreter.prefix == "/usr" { gems += ["/usr/share/rubygems-integration/all", "/var/lib/gems/\(version)"] }
    return [
      ("GEM_HOME", paths.runtime), ("GEM_PATH", gems.joined(separator: ":")),
      ("RUBYLIB", "\(paths.task):\(paths.runtime)/lib:\(paths.layers)/ruby/lib"),
    ]
  }

  /// The bootstrap itself looks for layers in /opt; where they lie elsewhere, the interpreter is told.
  private static func pythonPath(_ c: FunctionConfiguration, _ paths: Paths) -> String {
    guard paths.layers != Paths(api: "").layers else { return paths.runtime }
    let version = RuntimeCatalog.identifier(c.runtime ?? "")?.version ?? ""
    return "\(paths.runtime):\(paths.layers)/python/lib/python\(version)/site-packages:\(paths.layers)/python"
  }

  static func reserved(
    _ c: FunctionConfiguration, family: RuntimeFamily, paths: Paths, logStream: String, initializationType: String
  ) -> [(String, String)] {
    var variables: [(String, String)] = [
      ("_HANDLER", c.handler ?? ""), ("AWS_REGION", c.place.region.name), ("AWS_DEFAULT_REGION", c.place.region.name),
      ("AWS_LAMBDA_FUNCTION_NAME", c.name), ("AWS_LAMBDA_FUNCTION_VERSION", c.version.description),
      ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", String(c.memorySize)), ("AWS_LAMBDA_INITIALIZATION_TYPE", initializationType),
      ("AWS_LAMBDA_LOG_GROUP_NAME", c.logging.group), ("AWS_LAMBDA_LOG_STREAM_NAME", logStream),
      ("AWS_LAMBDA_RUNTIME_API", paths.api), ("LAMBDA_TASK_ROOT", paths.task), ("LAMBDA_RUNTIME_DIR", paths.runtime),
    ]
    if family != .provided, let runtime = c.runtime { variables.append(("AWS_EXECUTION_ENV", "AWS_Lambda_\(runtime)")) }
    if c.logging.format == .json { variables.append(("AWS_LAMBDA_LOG_FORMAT", "JSON")) }
    if let concurrency = c.environmentConcurrency {
      variables.append(("AWS_LAMBDA_MAX_CONCURRENCY", String(concurrency)))
    }
    if let level = c.logging.applicationLevel { variables.append(("AWS_LAMBDA_LOG_LEVEL", level)) }
    return variables
  }

  /// The credentials of the function's role. Without IAM the access key names the account, so that the function's own
  /// calls arrive in it all the same.
  static func access(
    _ c: FunctionConfiguration, _ credentials: TemporaryCredentials?
  ) -> [(String, String)] {
    [
      ("AWS_ACCESS_KEY_ID", credentials?.accessKeyID ?? c.place.account.id),
      ("AWS_SECRET_ACCESS_KEY", credentials?.secretAccessKey ?? "martlet"),
      ("AWS_SESSION_TOKEN", credentials?.sessionToken ?? "martlet"),
    ]
  }
}
