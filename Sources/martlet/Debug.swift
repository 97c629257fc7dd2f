// `martlet debug`: runs functions under a debugger until it is interrupted.
import ArgumentParser
import Dispatch
import Glibc
import MartletCore
import MartletServer
import MartletWire

struct Debug: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run functions under debugpy or Node's inspector until Ctrl-C.",
    discussion: """
      The next invocation of each function starts its runtime under a debugger and waits for one to connect to the \
      port that is shown, which is on this host's loopback only. Meanwhile nothing times out, the function has no \
      limit of processor time and 512 MB more, and one invocation of it runs at a time. Python needs debugpy: in the \
      package, in a layer, or installed for the interpreter.
      """)

  @Argument(help: "Names of the functions.")
  var names: [String]

  @Option(help: "Port of the first function; the next ones follow. Default: any free ones.")
  var port: Int?

  @Option(help: "text or json: one object per function.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func validate() throws {
    if names.isEmpty { throw ValidationError("name at least one function") }
  }

  func perform() async throws {
    let interruption = Interruption()
    var begun: [String] = []
    do {
      for (index, name) in names.enumerated() {
        try await begin(name, port: port.map { $0 + index } ?? 0)
        begun.append(name)
      }
      await interruption.wait()
    } catch {
      try? await end(begun)
      throw error
    }
    try await end(begun)
  }

  private func begin(_ name: String, port: Int) async throws {
    var body = JSONWriter()
    body.value(.object([.init("Port", .integer(Int64(port)))]))
    let reply = try await server.call(
      .put, path(of: name), headers: [("Content-Type", "application/json")], body: body.buffer)
    let json = try JSONValue(parsing: reply.body)
    let (bound, debugger) = (json["Port"]?.integer ?? 0, json["Debugger"]?.string ?? "")
    switch output {
    case .json:
      var line = JSONWriter()
      line.value(
        .object([
          .init("Function", .string(name)), .init("Address", .string("127.0.0.1")),
          .init("Port", .integer(Int64(bound))),
          .init("Debugger", .string(debugger)),
        ]))
      Console.say(line.text)
    case .text:
      Console.say("\(name): \(debugger) on 127.0.0.1:\(bound). Connect to it, and invoke the function.")
      Console.say(
        debugger == "debugpy"
          ? #"  VS Code: {"type": "debugpy", "request": "attach", "connect": {"host": "127.0.0.1", "port": \#(bound)}, "pathMappings": [{"localRoot": "${workspaceFolder}", "remoteRoot": "/var/task"}]}"#
          : #"  VS Code: {"type": "node", "request": "attach", "port": \#(bound), "localRoot": "${workspaceFolder}", "remoteRoot": "/var/task"}; or: node inspect 127.0.0.1:\#(bound)"#
      )
    }
    fflush(nil)
  }

  private func end(_ names: [String]) async throws {
    for name in names { _ = try await server.call(.delete, path(of: name)) }
  }

  private func path(of name: String) -> String { "/_martlet/functions/\(Percent.encode(name))/debugging" }
}

/// Ctrl-C or SIGTERM. Made before anything is begun that would have to be ended.
private final class Interruption: @unchecked Sendable {
  private let sources: [any DispatchSourceSignal]
  private let stream: AsyncStream<Void>

  init() {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    self.stream = stream
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield() }
      source.resume()
      return source
    }
  }

  func wait() async { for await _ in stream { return } }
}
