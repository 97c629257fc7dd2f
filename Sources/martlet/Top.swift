// `martlet top`: what a server does right now, each second anew. Over the public API, and `/_martlet/metrics` for what
// that does not tell.
import ArgumentParser
import Glibc
import MartletCore
import MartletServer
import MartletWire
import NIOCore

struct Top: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show functions, environments, queues and the host, each second anew.",
    discussion: """
      Counts are since the server was started, rates of the time between two looks, P50 and P95 of the last five \
      minutes. Ctrl-C ends it.
      """)

  @Flag(help: "Print one table and end.")
  var once = false

  @Option(help: "Time between two looks: 500ms, 1s, 10s.")
  var interval = "1s"

  @Option(help: "text, or json: an object for each look.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    guard let pause = Duration.parse(interval), pause >= .milliseconds(100) else {
      throw ValidationError("--interval: \(interval) is not of the form 500ms, 1s or 10s, or too short")
    }
    let isLive = !once && output == .text && isatty(1) == 1
    let look = Task { try await watch(pause, isLive) }
    let interrupt = Interrupt { look.cancel() }
    if isLive { Console.put("\u{1b}[?1049h\u{1b}[?25l", on: 1) }
    let result = await look.result
    if isLive { Console.put("\u{1b}[?25h\u{1b}[?1049l", on: 1) }
    if !interrupt.isOver { try result.get() }
  }

  private func watch(_ pause: Duration, _ isLive: Bool) async throws {
    let place = ["account": try await account(), "region": region]
    var before = try await reading()
    var functions = try await functionCount()
    var looks = 0
    while true {
      try await Task.sleep(for: pause)
      let now = try await reading()
      looks += 1
      // Pages of functions are more than a figure is worth each second.
      if looks % 10 == 0 { functions = try await functionCount() }
      var extras = try await extras(now, place)
      extras.functions = functions
      show(TopScreen(now, since: before, place: place, extras), isLive)
      if once { return }
      before = now
    }
  }

  private func show(_ screen: TopScreen, _ isLive: Bool) {
    if output == .json { return Console.say(once ? screen.json.pretty : screen.json.text) }
    guard isLive else { return Console.say(screen.lines().joined(separator: "\n") + (once ? "" : "\n")) }
    let (width, height) = Top.size
    // From the top left; what remains of the last look is wiped line by line, so that nothing flickers.
    let lines = screen.lines(width: width, height: height).map { $0 + "\u{1b}[K" }
    Console.put("\u{1b}[H" + lines.joined(separator: "\r\n") + "\u{1b}[J", on: 1)
  }

  /// Columns and lines of the terminal.
  private static var size: (Int, Int) {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  // MARK: - Asking

  private var region: String {
    server.region ?? ProcessVariables.all["AWS_REGION"] ?? ProcessVariables.all["AWS_DEFAULT_REGION"] ?? "us-east-1"
  }

  private func account() async throws -> String {
    let reply = try await server.call(
      .post, "/", headers: [("Content-Type", "application/x-www-form-urlencoded")],
      body: ByteBuffer(string: "Action=GetCallerIdentity&Version=2011-06-15"), service: "sts")
    let text = String(buffer: reply.body)
    guard let start = text.firstRange(of: "<Account>"), let end = text.firstRange(of: "</Account>"),
      start.upperBound <= end.lowerBound
    else { return "" }
    return String(text[start.upperBound..<end.lowerBound])
  }

  private func reading() async throws -> TopScreen.Reading {
    let reply = try await server.call(.get, "/_martlet/metrics")
    return TopScreen.Reading(String(buffer: reply.body), moment: RealWorld().monotonic())
  }

  private func functionCount() async throws -> Int {
    var (count, marker): (Int, String?) = (0, nil)
    repeat {
      let query = marker.map { "?Marker=\(Percent.encode($0))" } ?? ""
      let page = try JSONValue(parsing: try await server.call(.get, "/2015-03-31/functions\(query)").body)
      count += page["Functions"]?.array?.count ?? 0
      marker = page["NextMarker"]?.string
    } while marker != nil
    return count
  }

  /// Functions whose percentiles are asked for.
  private static let most = 100
  /// Seconds.
  private static let span: Int64 = 300

  private func extras(_ reading: TopScreen.Reading, _ place: [String: String]) async throws -> TopScreen.Extras {
    var extras = TopScreen.Extras()
    extras.endpoint = server.address
    let reader = MetricReader(server: server)
    let now = try await reader.now()
    extras.now = Timestamp(milliseconds: now * 1000).iso8601Seconds
    extras.fastStart = try JSONValue(parsing: try await server.call(.get, "/_martlet/fast-start").body)
    let names = TopScreen(reading, since: reading, place: place, extras).functions.map(\.name).prefix(Top.most)
    let questions = names.flatMap { name in
      ["p50", "p95"].map {
        MetricReader.Question(
          space: "AWS/Lambda", name: "Duration", dimensions: [("FunctionName", name)], statistic: $0)
      }
    }
    let start = now - Top.span
    let values = try await reader.values(questions, from: start - start % 60, to: now + 1)
    for (index, name) in names.enumerated() {
      extras.medians[name] = values[index * 2]
      extras.slowest[name] = values[index * 2 + 1]
    }
    return extras
  }
}
