// What `martlet top` shows: two readings of `/_martlet/metrics`, a moment apart, as lines of text or as JSON.
import MartletWire

package struct TopScreen: Sendable {
  /// What the server says at one moment.
  package struct Reading: Sendable {
    package let metrics: ExpositionReader
    /// Nanoseconds of the monotonic clock.
    package let moment: UInt64

    package init(_ text: String, moment: UInt64) {
      metrics = ExpositionReader(text)
      self.moment = moment
    }
  }

  /// What other sources say.
  package struct Extras: Sendable {
    /// `2026-11-21T20:00:00Z`, on the server's clock.
    package var now = ""
    package var endpoint = ""
    package var functions: Int?
    /// Milliseconds by function, of the last minutes.
    package var medians: [String: Double] = [:]
    package var slowest: [String: Double] = [:]
    /// As `/_martlet/fast-start` has it.
    package var fastStart: JSONValue = .null

    package init() {}
  }

  package struct Function: Sendable, Equatable {
    package var name: String
    package var busy = 0
    package var idle = 0
    package var invocations = 0
    package var errors = 0
    package var throttles = 0
    package var coldStarts = 0
    /// A second.
    package var rate = 0.0
    /// Milliseconds.
    package var median: Double?
    package var slowest: Double?
  }

  package struct Queue: Sendable, Equatable {
    package var name: String
    package var visible = 0
    package var inFlight = 0
    package var delayed = 0
    /// Seconds.
    package var oldest: Double?
  }

  package private(set) var functions: [Function]
  package private(set) var queues: [Queue]
  private let now: Reading
  private let before: Reading
  private let extras: Extras
  private let place: [String: String]

  /// - Parameters:
  ///   - before: the reading that rates are counted from.
  ///   - place: `account` and `region` of what is shown.
  package init(_ now: Reading, since before: Reading, place: [String: String], _ extras: Extras) {
    (self.now, self.before, self.place, self.extras) = (now, before, place, extras)
    var functions: [String: Function] = [:]
    func each(_ family: String, _ body: (inout Function, ExpositionReader.Sample) -> Void) {
      for sample in now.metrics[family] {
        guard let name = sample.labels["function"], place.allSatisfy({ sample.labels[$0.key] == $0.value }) else {
          continue
        }
        body(&functions[name, default: Function(name: name)], sample)
      }
    }
    each("martlet_function_invocations_total") { $0.invocations += Int($1.value) }
    each("martlet_function_errors_total") { $0.errors += Int($1.value) }
    each("martlet_function_throttles_total") { $0.throttles += Int($1.value) }
    each("martlet_function_cold_starts_total") { $0.coldStarts += Int($1.value) }
    each("martlet_function_environments") { function, sample in
      if sample.labels["state"] == "busy" {
        function.busy += Int(sample.value)
      } else {
        function.idle += Int(sample.value)
      }
    }
    let seconds = Double(now.moment &- before.moment) / 1e9
    for name in functions.keys {
      let earlier =
        before.metrics.value(
          "martlet_function_invocations_total", place.merging(["function": name]) { $1 }) ?? 0
      let more = Double(functions[name]?.invocations ?? 0) - earlier
      functions[name]?.rate = seconds > 0 ? max(0, more) / seconds : 0
      functions[name]?.median = extras.medians[name]
      functions[name]?.slowest = extras.slowest[name]
    }
    // The busiest first.
    self.functions = functions.values.sorted {
      ($1.rate, $1.busy, $1.invocations, $0.name) < ($0.rate, $0.busy, $0.invocations, $1.name)
    }
    queues = TopScreen.queues(now.metrics, place)
  }

  private static func queues(_ metrics: ExpositionReader, _ place: [String: String]) -> [Queue] {
    var queues: [String: Queue] = [:]
    for family in ["martlet_sqs_messages", "martlet_sqs_oldest_message_age_seconds"] {
      for sample in metrics[family] {
        guard let name = sample.labels["queue"], place.allSatisfy({ sample.labels[$0.key] == $0.value }) else {
          continue
        }
        var queue = queues[name] ?? Queue(name: name)
        switch sample.labels["state"] {
        case "visible": queue.visible = Int(sample.value)
        case "in_flight": queue.inFlight = Int(sample.value)
        case "delayed": queue.delayed = Int(sample.value)
        default: queue.oldest = sample.value
        }
        queues[name] = queue
      }
    }
    return queues.values.sorted { ($1.visible, $1.inFlight, $0.name) < ($0.visible, $0.inFlight, $1.name) }
  }

  /// How much more of something there is than before, a second.
  private func rate(_ name: String) -> Double {
    let seconds = Double(now.moment &- before.moment) / 1e9
    guard seconds > 0 else { return 0 }
    return max(0, (now.metrics.value(name, place) ?? 0) - (before.metrics.value(name, place) ?? 0)) / seconds
  }

  // MARK: - Text

  /// - Parameters:
  ///   - width: columns; longer lines are cut. nil = as long as they are.
  ///   - height: lines; nil = all.
  package func lines(width: Int? = nil, height: Int? = nil) -> [String] {
    var lines = head + [""]
    let functionRows = [TopScreen.functionColumns] + functions.map(TopScreen.row)
    let queueRows = queues.isEmpty ? [] : [TopScreen.queueColumns] + queues.map(TopScreen.row)
    var (functionRoom, queueRoom) = (functionRows.count, queueRows.count)
    if let height {
      // Queues have a third, and what functions do not need.
      let room = max(0, height - lines.count - (queueRows.isEmpty ? 0 : 1))
      queueRoom = min(queueRows.count, max(room / 3, room - functionRows.count))
      functionRoom = min(functionRows.count, room - queueRoom)
    }
    lines += TopScreen.columns(Array(functionRows.prefix(functionRoom)))
    if queueRoom > 0 { lines += [""] + TopScreen.columns(Array(queueRows.prefix(queueRoom))) }
    return lines.prefix(height ?? .max).map { line in width.map { String(line.prefix($0)) } ?? line }
  }

  private var head: [String] {
    let metrics = now.metrics
    let (busy, idle) = (
      metrics.value("martlet_environments", ["state": "busy"]) ?? 0,
      metrics.value("martlet_environments", ["state": "idle"]) ?? 0
    )
    let limit = metrics.value("martlet_concurrency_limit") ?? 0
    let known = extras.functions.map { "\($0) functions, " } ?? ""
    let fixed = [
      "\(extras.endpoint)  \(place["account"] ?? "")  \(place["region"] ?? "")  \(extras.now)",
      "\(known)\(Int(busy + idle)) environments: \(Int(busy)) busy, \(Int(idle)) idle; concurrency limit \(Int(limit))",
      """
      \(TopScreen.tenths(rate("martlet_function_invocations_total"))) invocations/s, \
      \(TopScreen.tenths(rate("martlet_function_errors_total"))) errors/s, \
      \(TopScreen.tenths(rate("martlet_function_throttles_total"))) throttles/s, \
      \(TopScreen.tenths(rate("martlet_function_cold_starts_total"))) cold starts/s
      """,
      asynchronous, fastStart, memory,
    ]
    return fixed.filter { !$0.isEmpty }
  }

  private var asynchronous: String {
    let waiting = now.metrics.value("martlet_async_events", ["state": "waiting"]) ?? 0
    let running = now.metrics.value("martlet_async_events", ["state": "running"]) ?? 0
    let oldest =
      now.metrics.value("martlet_async_oldest_event_age_seconds").map { ", oldest \(TopScreen.age($0))" } ?? ""
    return "asynchronous events: \(Int(waiting)) waiting, \(Int(running)) running\(oldest)"
  }

  private var fastStart: String {
    guard let isOn = extras.fastStart["enabled"]?.bool else { return "" }
    guard isOn else { return "fast start: off" }
    let zygotes = extras.fastStart["zygotes"]?.array ?? []
    let up = zygotes.count { $0["up"]?.bool == true }
    func figure(_ name: String) -> Int { extras.fastStart[name]?.integer ?? 0 }
    let cells = extras.fastStart["stemCells"]?.array ?? []
    // Who finds none with a function's own classes takes one without.
    func cell(_ name: String) -> Int {
      cells.filter { name != "missed" || $0["function"] == nil }.reduce(0) { $0 + ($1[name]?.integer ?? 0) }
    }
    /// Processes of single functions, if there are any.
    func own(_ name: String, _ title: String) -> String {
      let processes = (extras.fastStart[name]?.array ?? []).filter { $0["up"]?.bool == true }
      let forked = processes.reduce(0) { $0 + ($1["starts"]?.integer ?? 0) }
      return processes.isEmpty ? "" : "\(processes.count) \(title) (\(forked) forked), "
    }
    return """
      fast start: \(up) zygotes, \(figure("forksReady")) forks ready (\(figure("forksTaken")) taken, \
      \(figure("forksMadeLate")) too late), \
      \(cell("ready")) stem cells ready (\(cell("taken")) taken, \(cell("missed")) too late), \
      \(own("functionZygotes", "zygotes of functions"))\(own("snapshots", "snapshots"))\
      \(figure("nestsReady")) sandboxes ready (\(figure("nestsTaken")) taken, \
      \(figure("nestsMadeLate")) too late)
      """
  }

  private var memory: String {
    let metrics = now.metrics
    var parts: [String] = []
    if let total = metrics.value("martlet_host_memory_bytes", ["state": "total"]),
      let available = metrics.value("martlet_host_memory_bytes", ["state": "available"])
    {
      parts.append("host: \(TopScreen.gibibytes(total - available)) of \(TopScreen.gibibytes(total)) GB used")
    }
    if let resident = metrics.value("process_resident_memory_bytes") {
      let cpu = rate("process_cpu_seconds_total", of: [:]) * 100
      parts.append("server: \(Int(resident / 1_048_576)) MB, \(TopScreen.tenths(cpu)) % of a cpu")
    }
    return parts.joined(separator: "; ")
  }

  private func rate(_ name: String, of labels: [String: String]) -> Double {
    let seconds = Double(now.moment &- before.moment) / 1e9
    guard seconds > 0 else { return 0 }
    return max(0, (now.metrics.value(name, labels) ?? 0) - (before.metrics.value(name, labels) ?? 0)) / seconds
  }

  private static let functionColumns = [
    "FUNCTION", "BUSY", "IDLE", "/S", "INVOKED", "COLD", "ERRORS", "THROTTLED", "P50", "P95",
  ]
  private static let queueColumns = ["QUEUE", "WAITING", "IN FLIGHT", "DELAYED", "OLDEST"]

  private static func row(_ function: Function) -> [String] {
    [
      function.name, "\(function.busy)", "\(function.idle)", tenths(function.rate), "\(function.invocations)",
      "\(function.coldStarts)", "\(function.errors)", "\(function.throttles)",
      function.median.map(PowerTuning.milliseconds) ?? "-", function.slowest.map(PowerTuning.milliseconds) ?? "-",
    ]
  }

  private static func row(_ queue: Queue) -> [String] {
    [
      queue.name, "\(queue.visible)", "\(queue.inFlight)", "\(queue.delayed)", queue.oldest.map(age) ?? "-",
    ]
  }

  /// The first column to the left, numbers to the right.
  private static func columns(_ rows: [[String]]) -> [String] {
    guard let first = rows.first else { return [] }
    let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let pad = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + pad : pad + cell
      }.joined(separator: "  ")
    }
  }

  static func tenths(_ value: Double) -> String {
    let tenths = Int64((min(max(value, 0), 1e12) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func gibibytes(_ bytes: Double) -> String { tenths(bytes / 1_073_741_824) }

  /// `7s`, `3m`, `5h`, `12d`
  static func age(_ seconds: Double) -> String {
    let whole = Int64(min(max(seconds, 0), 1e12))
    for (size, unit) in [(86400, "d"), (3600, "h"), (60, "m")] as [(Int64, String)] where whole >= 2 * size {
      return "\(whole / size)\(unit)"
    }
    return "\(whole)s"
  }

  // MARK: - JSON

  package var json: JSONValue {
    let functions = functions.map { one in
      JSONValue.members(
        ("FunctionName", .string(one.name)), ("Busy", .integer(Int64(one.busy))), ("Idle", .integer(Int64(one.idle))),
        ("InvocationsPerSecond", .double(one.rate)), ("Invocations", .integer(Int64(one.invocations))),
        ("ColdStarts", .integer(Int64(one.coldStarts))), ("Errors", .integer(Int64(one.errors))),
        ("Throttles", .integer(Int64(one.throttles))), ("P50Ms", one.median.map { .double($0) }),
        ("P95Ms", one.slowest.map { .double($0) }))
    }
    let queues = queues.map { one in
      JSONValue.members(
        ("QueueName", .string(one.name)), ("Visible", .integer(Int64(one.visible))),
        ("InFlight", .integer(Int64(one.inFlight))), ("Delayed", .integer(Int64(one.delayed))),
        ("OldestSeconds", one.oldest.map { .double($0) }))
    }
    return .members(
      ("Now", .string(extras.now)), ("Functions", .array(functions)), ("Queues", .array(queues)),
      (
        "AsynchronousEvents",
        .members(
          (
            "Waiting",
            .integer(Int64(now.metrics.value("martlet_async_events", ["state": "waiting"]) ?? 0))
          ),
          (
            "Running",
            .integer(Int64(now.metrics.value("martlet_async_events", ["state": "running"]) ?? 0))
          ),
          ("OldestSeconds", now.metrics.value("martlet_async_oldest_event_age_seconds").map { .double($0) }))
      ), ("FastStart", extras.fastStart))
  }
}
