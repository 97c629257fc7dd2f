// `martlet runtime`: what runs here.
import ArgumentParser
import MartletCore
import MartletLambda
import MartletServer
import MartletWire

struct Runtime: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what serves each of AWS's runtimes on this host.", subcommands: [RuntimeList.self])

  /// What flags and the environment say of interpreters, the flags last: they win.
  static func chosen(_ flags: [String], _ variables: [String: String]) -> [String] {
    (variables["MARTLET_RUNTIMES"] ?? "").split(separator: ",").map(String.init) + flags
  }
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

  func perform() async throws {
    let variables = ProcessVariables.all
    let catalog: RuntimeCatalog
    do throws(Fault) {
      catalog = RuntimeCatalog(
        interpreters: Interpreter.findAll(environment: variables),
        chosen: try RuntimeCatalog.chosen(Runtime.chosen(runtimes, variables)))
    } catch { throw CleanExit.failure("\(error)") }
    let rows = RuntimeCatalog.identifiers.sorted { $0.name.compareNumerically($1.name) }.map { identifier in
      switch catalog.serves(identifier) {
      case .interpreter(let interpreter): (identifier.name, "yes", "\(interpreter.path) (\(interpreter.version))")
      case .bootstrap: (identifier.name, "yes", "the function's own bootstrap")
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
