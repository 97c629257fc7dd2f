// `martlet invoke`: runs a function; its result on standard output, its log on standard error.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletWire
import NIOCore

struct Invoke: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a function: result on standard output, log on standard error.",
    discussion: "Exit code 0 = success, 1 = the function failed, 2 = it could not be run.")

  @Argument(help: "Name or ARN of the function.")
  var name: String

  @Option(help: "The event: JSON text, @FILE, or - for standard input. Default: {}.")
  var payload = "{}"

  @Option(help: "Version to run.")
  var qualifier: String?

  @Flag(name: .customLong("no-log"), help: "Do not show the function's log.")
  var noLog = false

  @Option(help: "text, or json: result, log and status as one JSON object.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    var uri = "/2015-03-31/functions/\(Percent.encode(name))/invocations"
    if let qualifier { uri += "?Qualifier=\(Percent.encode(qualifier))" }
    let reply = try await server.call(
      .post, uri, headers: [("X-Amz-Log-Type", "Tail"), ("Content-Type", "application/json")], body: try event())
    let log = reply.header("X-Amz-Log-Result").flatMap { Base64.decode($0) }.map { String(buffer: $0) } ?? ""
    let failure = reply.header("X-Amz-Function-Error")
    switch output {
    case .text:
      if !noLog { Console.put(log, on: 2) }
      Console.say(String(buffer: reply.body))
    case .json:
      let result = (try? JSONValue(parsing: reply.body)) ?? .string(String(buffer: reply.body))
      Console.say(
        JSONValue.object([
          .init("Payload", result), .init("FunctionError", failure.map { .string($0) } ?? .null),
          .init("ExecutedVersion", .string(reply.header("X-Amz-Executed-Version") ?? "")), .init("Log", .string(log)),
        ]).pretty)
    }
    if failure != nil { throw ExitCode(1) }
  }

  private func event() throws -> ByteBuffer {
    if payload == "-" { return ByteBuffer(bytes: FileHandleReader.standardInput()) }
    guard payload.hasPrefix("@") else { return ByteBuffer(string: payload) }
    let path = String(payload.dropFirst())
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--payload: \(path) cannot be read")
    }
    return ByteBuffer(bytes: data)
  }
}
