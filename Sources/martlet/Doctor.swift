// `martlet doctor`: which promises of isolation hold on this host, and how that was checked.
import ArgumentParser
import MartletCore
import MartletLambda
import MartletSandbox
import MartletServer
import MartletWire

struct Doctor: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "State each guarantee of isolation on this host, and how it was checked.",
    discussion: "Run it as the user who will start the server. Exit code 1 = something does not hold.")

  @Option(help: "text or json.")
  var output = OutputFormat.text

  /// True on every host, so it is no guarantee that could hold or not.
  private static let access =
    "Access: signatures are not verified, and policies of IAM are kept but not enforced (docs/iam.md)."

  /// What is served depends on what is installed, so it is no guarantee either.
  private static func runtimes() throws -> String {
    let catalog = try StateOption.parse([]).catalog()
    let missing = RuntimeCatalog.identifiers.filter { identifier in
      if case .missing = catalog.serves(identifier) { !identifier.isDeprecated } else { false }
    }
    guard !missing.isEmpty else { return "Runtimes: every one that AWS accepts is served here." }
    return
      "Runtimes: nothing serves \(missing.map(\.name).sorted().joined(separator: ", ")) (see martlet runtime list)."
  }

  /// Which environments start without the start of an interpreter, and why not the others.
  private static func fastStart(_ guarantees: [Guarantee]) throws -> String {
    guard guarantees.contains(where: { $0.name == "own uid" && $0.holds }) else {
      let reason =
        guarantees.contains(where: \.holds)
        ? "Only root can put a fork of an interpreter into a sandbox" : "No sandbox can be made on this host"
      return "Fast start: none. \(reason) (docs/fast-start.md)."
    }
    let catalog = try StateOption.parse([]).catalog()
    func served(_ families: Set<RuntimeFamily>) -> String {
      RuntimeCatalog.identifiers.filter { identifier in
        if case .interpreter(let interpreter) = catalog.serves(identifier) {
          families.contains(interpreter.family)
        } else {
          false
        }
      }.map(\.name).sorted().joined(separator: ", ")
    }
    let (forked, waiting) = (served([.python]), served([.nodejs, .java, .ruby]))
    let ways = [
      forked.isEmpty ? "" : "\(forked) are forked from an interpreter that is up; ",
      waiting.isEmpty ? "" : "\(waiting) take over a runtime that waits; ",
    ]
    return "Fast start: \(ways.joined())functions that bring their runtime take over a sandbox (docs/fast-start.md)."
  }

  func perform() async throws {
    let guarantees: [Guarantee]
    do {
      guarantees = try SandboxReport.make(executable: Host.sandboxExecutable(ProcessVariables.all))
    } catch {
      throw CleanExit.failure("\(error)")
    }
    switch output {
    case .text:
      Console.say(
        Console.table(
          [["GUARANTEE", "HOLDS", "HOW IT WAS CHECKED"]]
            + guarantees.map { [$0.name, $0.holds ? "yes" : "no", $0.how] }))
      Console.say(Doctor.access)
      Console.say(try Doctor.runtimes())
      Console.say(try Doctor.fastStart(guarantees))
    case .json:
      Console.say(
        JSONValue.array(
          guarantees.map {
            .object([
              .init("Guarantee", .string($0.name)), .init("Holds", .bool($0.holds)), .init("How", .string($0.how)),
            ])
          }
        ).pretty)
    }
    if guarantees.contains(where: { !$0.holds }) { throw ExitCode(1) }
  }
}
