// `martlet invoke`: runs a function; its result on standard output, its log on standard error.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletServer
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

  @Flag(help: "Show on standard error what it took, and what AWS would charge for it (docs/cost.md).")
  var report = false

  @OptionGroup var prices: PriceOptions

  @Option(help: "text, or json: result, log and status as one JSON object.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    var uri = "/2015-03-31/functions/\(Percent.encode(name))/invocations"
    if let qualifier { uri += "?Qualifier=\(Percent.encode(qualifier))" }
    let reply = try await server.call(
      .post, uri, headers: [("X-Amz-Log-Type", "Tail"), ("Content-Type", "application/json")],
      body: try Invoke.event(payload))
    let log = reply.header("X-Amz-Log-Result").flatMap { Base64.decode($0) }.map { String(buffer: $0) } ?? ""
    let failure = reply.header("X-Amz-Function-Error")
    let figures = report ? try await figures(log, reply.header("X-Amz-Executed-Version")) : nil
    switch output {
    case .text:
      if !noLog { Console.put(log, on: 2) }
      Console.say(String(buffer: reply.body))
      if let figures { Console.complain(figures.text) }
    case .json:
      let result = (try? JSONValue(parsing: reply.body)) ?? .string(String(buffer: reply.body))
      var members: [JSONValue.Member] = [
        .init("Payload", result), .init("FunctionError", failure.map { .string($0) } ?? .null),
        .init("ExecutedVersion", .string(reply.header("X-Amz-Executed-Version") ?? "")), .init("Log", .string(log)),
      ]
      if let figures { members.append(.init("Report", figures.json)) }
      Console.say(JSONValue.object(members).pretty)
    }
    if failure != nil { throw ExitCode(1) }
  }

  /// What REPORT and the price list say together.
  private func figures(_ log: String, _ version: String?) async throws -> (text: String, json: JSONValue) {
    guard let report = LambdaReport(log: log) else {
      return ("The log has no REPORT: the function's log format or level leaves it out.", .null)
    }
    let table = try prices.table()
    // The name may have a qualifier of its own.
    let isQualified = name.split(separator: ":").count > (name.hasPrefix("arn:") ? 7 : 1)
    let query = isQualified ? "" : version.map { "?Qualifier=\(Percent.encode($0))" } ?? ""
    let function = try JSONValue(
      parsing: try await server.call(
        .get, "/2015-03-31/functions/\(Percent.encode(name))/configuration\(query)"
      ).body)
    let architecture = function["Architectures"]?.array?.first?.string.flatMap { Architecture(rawValue: $0) } ?? .x86
    let use = Usage(
      billed: report.billed, memory: report.memorySize,
      storage: Int64(function["EphemeralStorage"]?["Size"]?.integer ?? 512))
    let cost = table.charges(use, architecture).total
    let initialisation = report.initialisation.map { ", INIT \($0) ms" } ?? ""
    let text = """
      \(report.duration) ms\(initialisation), billed \(report.billed) ms of \(report.memorySize) MB \
      (\(report.memoryUsed) MB used): \(table.amount(cost)), a million of them \(table.amount(cost * 1_000_000))
      """
    let json = JSONValue.members(
      ("DurationMs", .double(report.duration)), ("InitDurationMs", report.initialisation.map { .double($0) }),
      ("BilledDurationMs", .integer(report.billed)), ("MemorySizeMB", .integer(report.memorySize)),
      ("MaxMemoryUsedMB", .integer(report.memoryUsed)), ("Cost", .string(cost.text(12))),
      ("Currency", .string(table.currency)))
    return (text, json)
  }

  /// - Parameter payload: the text itself, `@FILE`, or `-` for standard input.
  static func event(_ payload: String) throws -> ByteBuffer {
    if payload == "-" { return ByteBuffer(bytes: FileHandleReader.standardInput()) }
    guard payload.hasPrefix("@") else { return ByteBuffer(string: payload) }
    let path = String(payload.dropFirst())
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--payload: \(path) cannot be read")
    }
    return ByteBuffer(bytes: data)
  }
}
