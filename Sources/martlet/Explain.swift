// `martlet explain`: why did this event not reach my function?
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletWire
import NIOCore

struct Explain: WaitingCommand {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case event, mapping, notification, rule, schedule, subscription, function
  }

  static let configuration = CommandConfiguration(
    abstract: "Say why an event did not reach a function.",
    discussion: """
      martlet explain event REQUEST-ID            an asynchronous invocation, by the request id of its Invoke
      martlet explain mapping UUID                an event source mapping
      martlet explain notification BUCKET[/KEY]   who is told of what happens in a bucket
      martlet explain rule [BUS/]NAME --event F   a rule of EventBridge, and what of an event it does not match
      martlet explain schedule [GROUP/]NAME       a schedule of EventBridge Scheduler
      martlet explain subscription ARN            a subscription of a topic
      martlet explain [function] NAME             a function: what is in its way, how its environments start, and why
                                                  invocations were refused with 429 or had to wait for a cold start
      ARNs do as well. Lines begin with x for what is in the way, ! for what may be, + for what is as it must be.
      """)

  @Argument(
    help: "event, mapping, notification, rule, schedule, subscription or function; without it, a function is meant.")
  var kind: String

  @Argument(help: "Its request id, UUID, name or ARN.")
  var name: String?

  @Option(help: "For a rule: an event that should have matched; JSON text, @FILE, or - for standard input.")
  var event: String?

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  /// One word alone is the name of a function.
  private var subject: (kind: Kind, name: String) {
    get throws {
      guard let name else { return (.function, kind) }
      guard let kind = Kind(rawValue: kind) else {
        throw ValidationError("\(kind) is not one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return (kind, name)
    }
  }

  func perform() async throws {
    let body: ByteBuffer
    switch event {
    case nil: body = ByteBuffer()
    case "-": body = ByteBuffer(bytes: FileHandleReader.standardInput())
    case let text? where text.hasPrefix("@"):
      guard let data = FileManager.default.contents(atPath: String(text.dropFirst())) else {
        throw ValidationError("--event: \(text.dropFirst()) cannot be read")
      }
      body = ByteBuffer(bytes: data)
    case let text?: body = ByteBuffer(string: text)
    }
    let (kind, name) = try subject
    let reply = try await server.call(
      body.readableBytes > 0 ? .post : .get, "/_martlet/explain?kind=\(kind.rawValue)&name=\(Percent.encode(name))",
      body: body)
    let json = try JSONValue(parsing: reply.body)
    switch output {
    case .json: Console.say(json.pretty)
    case .text:
      Console.say("\(json["verdict"]?.string ?? "")\n")
      Console.say("\(json["subject"]?.string ?? ""):")
      let marks = ["stops": "x", "warns": "!", "holds": "+"]
      for finding in json["findings"]?.array ?? [] {
        let mark = marks[finding["weight"]?.string ?? ""] ?? " "
        Console.say("  \(mark) \(finding["text"]?.string ?? "")")
      }
    }
  }
}
