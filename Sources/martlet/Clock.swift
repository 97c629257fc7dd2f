// `martlet clock`: shows the clock of a server, and moves it.
import ArgumentParser
import MartletCore
import MartletWire
import NIOCore

struct Clock: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show or move the clock of a server: what is due by then happens at once.",
    discussion: "Retries, delays and schedules of hours are tested in milliseconds. See docs/clock.md.",
    subcommands: [ClockShow.self, ClockAdvance.self, ClockSet.self], defaultSubcommand: ClockShow.self)

  fileprivate static func say(_ reply: HTTPReply, _ output: OutputFormat) {
    let json = (try? JSONValue(parsing: reply.body)) ?? .null
    switch output {
    case .json: Console.say(json.pretty)
    case .text:
      Console.say(json["now"]?.string ?? "")
      if json["settled"]?.bool == false {
        Console.complain("martlet: work that became due is still under way; --wait gives it more time")
      }
    }
  }

  fileprivate static func move(
    _ member: String, _ value: String, wait: String?, _ server: ServerOptions
  ) async throws -> HTTPReply {
    let body = JSONValue.members((member, .string(value)), ("wait", wait.map { .string($0) }))
    return try await server.call(.post, "/_martlet/clock", body: ByteBuffer(string: body.text))
  }
}

struct ClockShow: WaitingCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the clock.")

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws { Clock.say(try await server.call(.get, "/_martlet/clock"), output) }
}

struct ClockAdvance: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "advance", abstract: "Move the clock forward, from one thing that is due to the next.")

  @Argument(help: "How far: 500ms, 90s, 2m, 1h30m, 7d, 1y.")
  var span: String

  @Option(help: "How long to wait for what becomes due, in real time (default 30s).")
  var wait: String?

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws { Clock.say(try await Clock.move("advance", span, wait: wait, server), output) }
}

struct ClockSet: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Move the clock forward to a moment.")

  @Argument(help: "The moment: 2027-01-01T00:00:00Z.")
  var moment: String

  @Option(help: "How long to wait for what becomes due, in real time (default 30s).")
  var wait: String?

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws { Clock.say(try await Clock.move("set", moment, wait: wait, server), output) }
}
