// `martlet logs`: what a function logged, and what it logs now. Over the public API of CloudWatch Logs.
import ArgumentParser
import MartletCore
import MartletWire
import NIOCore

struct Logs: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a function logged; with --follow, also what it logs from now on.",
    discussion: "The name of a function, or of a log group if it begins with /.")

  @Argument(help: "Name of the function, or of a log group.")
  var name: String

  @Flag(help: "Go on until Ctrl-C.")
  var follow = false

  @Option(help: "How far back: 90s, 10m, 2h, 7d (default 10m).")
  var since = "10m"

  @Option(help: "Only events that match a filter pattern, such as ERROR or '{ $.level = \"ERROR\" }'.")
  var filter: String?

  @Option(help: "text, or json: an object for each event.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    guard let span = Duration.parse(since) else {
      throw ValidationError("--since: \(since) is not of the form 90s, 10m, 2h or 7d")
    }
    let group = try await group()
    let clock = try JSONValue(parsing: try await server.call(.get, "/_martlet/clock").body)
    let ahead = Int64((clock["offsetSeconds"]?.number ?? 0) * 1000)
    let (seconds, fraction) = span.components
    var start = max(
      0, RealWorld().now().milliseconds + ahead - seconds * 1000 - fraction / 1_000_000_000_000_000)
    /// Events at the last moment, which come again with the next page.
    var shown: Set<String> = []
    while true {
      var token: String?
      repeat {
        let page = try await page(group, start, token)
        for event in page["events"]?.array ?? [] {
          let (time, id) = (Int64(event["timestamp"]?.integer ?? 0), event["eventId"]?.string ?? "")
          if time > start {
            start = time
            shown = []
          }
          if shown.insert(id).inserted { say(event) }
        }
        token = page["nextToken"]?.string
      } while token != nil
      guard follow else { return }
      try await Task.sleep(for: .milliseconds(500))
    }
  }

  /// The group of a function may be one of its own choice.
  private func group() async throws -> String {
    guard !name.hasPrefix("/") else { return name }
    let reply = try await server.call(.get, "/2015-03-31/functions/\(Percent.encode(name))/configuration")
    let configuration = try JSONValue(parsing: reply.body)
    return configuration["LoggingConfig"]?["LogGroup"]?.string ?? "/aws/lambda/\(name)"
  }

  private func page(_ group: String, _ start: Int64, _ token: String?) async throws -> JSONValue {
    let body = JSONValue.members(
      ("logGroupName", .string(group)), ("startTime", .integer(start)), ("filterPattern", filter.map { .string($0) }),
      ("nextToken", token.map { .string($0) }))
    // A function that has not run has no group yet.
    let reply = try await server.call(
      .post, "/", headers: [("X-Amz-Target", "Logs_20140328.FilterLogEvents")], body: ByteBuffer(string: body.text),
      service: "logs"
    ) { reply in
      !name.hasPrefix("/") && String(buffer: reply.body).contains("#ResourceNotFoundException")
    }
    return try JSONValue(parsing: reply.body)
  }

  private func say(_ event: JSONValue) {
    guard output == .text else { return Console.say(event.text) }
    let time = Timestamp(milliseconds: Int64(event["timestamp"]?.integer ?? 0)).iso8601
    var message = event["message"]?.string ?? ""
    while message.last?.isNewline == true { message.removeLast() }
    Console.say("\(time) \(message)")
  }
}
