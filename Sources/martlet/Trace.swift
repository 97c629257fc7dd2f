// `martlet trace`: one trace as a waterfall, or the traces of the last minutes. Over the public API of X-Ray.
import ArgumentParser
import MartletCore
import MartletWire
import NIOCore

struct Trace: WaitingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a trace as a waterfall; without an id, the traces of the last minutes.")

  @Argument(
    help: "1-5e34a614-… as REPORT lines, X-Amzn-Trace-Id headers and `martlet trace` have it.")
  var id: String?

  @Option(help: "How far back to look without an id: 90s, 10m, 2h (default 10m, at most 24h).")
  var since = "10m"

  @Option(
    help:
      "Without an id: only traces that match a filter expression, such as 'fault' or 'responsetime > 1'."
  )
  var filter: String?

  @Option(help: "text, or json: the answer of the API.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    guard let id else { return try await list() }
    // A whole header does as well.
    let root =
      id.split(separator: ";").first { $0.hasPrefix("Root=") }.map { String($0.dropFirst(5)) } ?? id
    let answer = try await post("/Traces", .members(("TraceIds", .array([.string(root)]))))
    guard let trace = answer["Traces"]?.array?.first else {
      Console.complain(
        "martlet: there is no trace \(root). Traces are written within a second, and kept for 30 days."
      )
      throw ExitCode(2)
    }
    if output == .json { return Console.say(trace.pretty) }
    Console.say(Waterfall(trace).text)
  }

  private func post(_ path: String, _ body: JSONValue) async throws -> JSONValue {
    let reply = try await server.call(
      .post, path, body: ByteBuffer(string: body.text), service: "xray")
    return try JSONValue(parsing: reply.body)
  }

  private func list() async throws {
    guard let span = Duration.parse(since), span <= .seconds(86400) else {
      throw ValidationError(
        "--since: \(since) is not of the form 90s, 10m or 2h, or more than a day")
    }
    let clock = try JSONValue(parsing: try await server.call(.get, "/_martlet/clock").body)
    let now = Double(RealWorld().now().milliseconds) / 1000 + (clock["offsetSeconds"]?.number ?? 0)
    var rows = [["TRACE", "STARTED", "MS", "RESULT", "SERVICES"]]
    var token: String?
    repeat {
      let page = try await post(
        "/TraceSummaries",
        .members(
          ("StartTime", .double(now - Double(span.components.seconds))),
          ("EndTime", .double(now + 1)),
          ("FilterExpression", filter.map { .string($0) }), ("NextToken", token.map { .string($0) })
        ))
      for summary in page["TraceSummaries"]?.array ?? [] {
        if output == .json { Console.say(summary.text) } else { rows.append(Trace.row(summary)) }
      }
      token = page["NextToken"]?.string
    } while token != nil
    if output == .text { Console.say(Console.table(rows)) }
  }

  private static func row(_ summary: JSONValue) -> [String] {
    let start = Timestamp(milliseconds: Int64((summary["StartTime"]?.number ?? 0) * 1000))
    let results = [
      ("HasThrottle", "throttle"), ("HasFault", "fault"), ("HasError", "error"),
      ("IsPartial", "partial"),
    ]
    let result = results.first { summary[$0.0]?.bool == true }?.1 ?? "ok"
    let names = (summary["ServiceIds"]?.array ?? []).compactMap { $0["Name"]?.string }
    let services = names.enumerated().filter { !names[..<$0.offset].contains($0.element) }.map(
      \.element)
    return [
      summary["Id"]?.string ?? "", start.iso8601,
      Waterfall.milliseconds(summary["Duration"]?.number ?? 0), result,
      services.joined(separator: ", "),
    ]
  }
}

/// A trace as lines: what ran below what, when, and for how long.
struct Waterfall {
  private struct Row {
    let label: String
    let start: Double
    let end: Double
    let note: String
  }

  private let id: String
  private var rows: [Row] = []
  private let segments: Int

  /// - Parameter trace: as BatchGetTraces tells it.
  init(_ trace: JSONValue) {
    id = trace["Id"]?.string ?? ""
    let documents = (trace["Segments"]?.array ?? []).compactMap { segment in
      segment["Document"]?.string.flatMap { try? JSONValue(parsing: $0) }
    }
    segments = documents.count
    var waiting: [String: [JSONValue]] = [:]
    var known: Set<String> = []
    for document in documents { Waterfall.ids(document, &known) }
    var roots: [JSONValue] = []
    for document in documents {
      if let parent = document["parent_id"]?.string, known.contains(parent) {
        waiting[parent, default: []].append(document)
      } else {
        roots.append(document)
      }
    }
    for root in Waterfall.sorted(roots) { add(root, 0, &waiting) }
    // Segments that are each other's parents.
    while let parent = waiting.keys.min() {
      for lost in waiting.removeValue(forKey: parent) ?? [] { add(lost, 0, &waiting) }
    }
  }

  private static let deepest = 50

  private static func ids(_ node: JSONValue, _ known: inout Set<String>, depth: Int = 0) {
    if let id = node["id"]?.string { known.insert(id) }
    guard depth < deepest else { return }
    for child in node["subsegments"]?.array ?? [] { ids(child, &known, depth: depth + 1) }
  }

  private static func sorted(_ nodes: [JSONValue]) -> [JSONValue] {
    nodes.sorted { ($0["start_time"]?.number ?? 0) < ($1["start_time"]?.number ?? 0) }
  }

  private mutating func add(_ node: JSONValue, _ depth: Int, _ waiting: inout [String: [JSONValue]]) {
    let start = node["start_time"]?.number ?? 0
    let origin = node["origin"]?.string.map { "  \($0)" } ?? ""
    let flags = ["throttle", "fault", "error"].filter { node[$0]?.bool == true }
    let partial = node["in_progress"]?.bool == true ? ["in progress"] : []
    let cause = node["cause"]?["exceptions"]?.array?.first.flatMap {
      $0["type"]?.string ?? $0["message"]?.string
    }
    let reasons = [("cold_start_reason", "cold start: "), ("throttle_reason", "")].compactMap { name, words in
      node["annotations"]?[name]?.string.map { words + $0 }
    }
    let status = node["http"]?["response"]?["status"]?.integer.map { [String($0)] } ?? []
    rows.append(
      Row(
        label: String(repeating: "  ", count: min(depth, 20))
          + Waterfall.printable(node["name"]?.string ?? "") + origin,
        start: start, end: node["end_time"]?.number ?? start,
        note: Waterfall.printable(
          (status + flags + reasons + partial + (cause.map { [$0] } ?? [])).joined(separator: " "))))
    guard depth < Waterfall.deepest else { return }
    let below = node["id"]?.string.flatMap { waiting.removeValue(forKey: $0) } ?? []
    for child in Waterfall.sorted((node["subsegments"]?.array ?? []) + below) {
      add(child, depth + 1, &waiting)
    }
  }

  /// Names are what functions say: nothing that a terminal obeys.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(120).map {
          $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0
        }))
  }

  static func milliseconds(_ seconds: Double) -> String {
    let tenths = Int64((min(max(seconds, 0), 1e9) * 10_000).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static let width = 40

  private func bar(_ row: Row, _ begin: Double, _ span: Double) -> String {
    guard span > 0 else { return String(repeating: "█", count: 1) }
    let width = Double(Waterfall.width)
    let from = min(Waterfall.width - 1, max(0, Int((row.start - begin) / span * width)))
    let count = max(
      1, min(Waterfall.width - from, Int(((row.end - row.start) / span * width).rounded())))
    return String(repeating: " ", count: from) + String(repeating: "█", count: count)
  }

  var text: String {
    let begin = rows.map(\.start).min() ?? 0
    let span = min(max((rows.map(\.end).max() ?? 0) - begin, 0), 1e9)
    let head = "\(id)  \(Waterfall.milliseconds(span)) ms, \(segments) segments\n"
    let labels = rows.map(\.label.count).max() ?? 0
    let starts = rows.map { Waterfall.milliseconds($0.start - begin) }
    let lengths = rows.map { Waterfall.milliseconds($0.end - $0.start) }
    let (startWidth, lengthWidth) = (
      starts.map(\.count).max() ?? 0, lengths.map(\.count).max() ?? 0
    )
    let lines = rows.indices.map { i in
      let row = rows[i]
      let drawn = bar(row, begin, span)
      let line =
        row.label + String(repeating: " ", count: labels - row.label.count) + "  "
        + String(repeating: " ", count: startWidth - starts[i].count) + starts[i] + "  "
        + String(repeating: " ", count: lengthWidth - lengths[i].count) + lengths[i] + "  |" + drawn
      guard !row.note.isEmpty else { return line }
      return line
        + String(repeating: " ", count: Waterfall.width - min(Waterfall.width, drawn.count)) + "|  "
        + row.note
    }
    return ([head] + lines).joined(separator: "\n")
  }
}
