// The parts of the export to OpenTelemetry as values: wire format, settings, retries, spans, tallies, courses of logs;
// and the whole of it with a collector made of a closure.
import Logging
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletCloud

private let place = Place(account: Account("000000000000")!, region: Region("us-east-1")!)

/// The fields of a message by their numbers.
private func fields(_ bytes: [UInt8]) -> [Int: [ProtobufReader.Value]] {
  var reader = ProtobufReader(bytes)
  var found: [Int: [ProtobufReader.Value]] = [:]
  while let (field, value) = reader.next() { found[field, default: []].append(value) }
  return found
}

extension ProtobufReader.Value {
  fileprivate var bytes: [UInt8] { if case .bytes(let bytes) = self { bytes } else { [] } }
  fileprivate var number: UInt64 { if case .number(let number) = self { number } else { 0 } }
  fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
  fileprivate var message: [Int: [ProtobufReader.Value]] { fields(bytes) }
}

private func settings(_ variables: [String: String] = [:]) throws -> OTLPSettings {
  try #require(try OTLPSettings(endpoint: "http://c:4318", headers: [], variables: variables))
}

@Suite struct ProtobufTests {
  @Test func theExamplesOfTheSpecification() {
    var writer = ProtobufWriter()
    writer.number(1, 150)
    writer.text(2, "testing")
    writer.message(3) { $0.number(1, 150) }
    #expect(
      writer.bytes == [
        0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67, 0x1a, 0x03, 0x08, 0x96, 0x01,
      ])
    var zeros = ProtobufWriter()
    zeros.number(1, 0)
    zeros.text(2, "")
    zeros.fixed(3, 0)
    #expect(zeros.bytes.isEmpty)
    zeros.number(1, -1)
    #expect(zeros.bytes == [0x08] + [UInt8](repeating: 0xff, count: 9) + [0x01])
  }

  @Test func messagesOfEveryLengthComeBack() {
    for length in [0, 1, 126, 127, 128, 129, 16_383, 16_384, 70_000] {
      var writer = ProtobufWriter()
      writer.message(1) { outer in outer.message(2) { $0.text(3, String(repeating: "x", count: length)) } }
      writer.fixed32(4, 7)
      let read = fields(writer.bytes)
      #expect(read[1]?.first?.message[2]?.first?.message[3]?.first?.text.count ?? 0 == length)
      #expect(read[4]?.first?.number == 7)
    }
  }

  @Test func nonsenseEndsTheReading() {
    var random = SplitMix(seed: 7)
    for _ in 0..<2000 {
      let bytes = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(fields(bytes).values.reduce(0) { $0 + $1.count } <= bytes.count)
    }
  }
}

@Suite struct OTLPSettingsTests {
  private func made(
    _ variables: [String: String], endpoint: String? = nil, headers: [String] = []
  ) throws(Fault) -> OTLPSettings? {
    try OTLPSettings(endpoint: endpoint, headers: headers, variables: variables)
  }

  @Test func nothingIsExportedUnlessAskedFor() throws {
    #expect(try made([:]) == nil)
    #expect(try made(["OTEL_SERVICE_NAME": "x", "OTEL_EXPORTER_OTLP_ENDPOINT": ""]) == nil)
    #expect(try made(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"]) == nil)
    let none = ["OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"]
    #expect(try made(none, endpoint: "http://c") == nil)
  }

  @Test func endpointsAndPaths() throws {
    let all = try #require(try made(["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.example/otlp/"]))
    #expect(all.targets[.metrics]?.path == "/otlp/v1/metrics" && all.targets[.logs]?.address.port == 443)
    let own = try #require(
      try made([
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x?y=z",
      ]))
    #expect(own.targets[.traces]?.path == "/x?y=z" && own.targets[.traces]?.address.host == "t")
    #expect(own.targets[.logs]?.path == "/v1/logs")
    let flag = try #require(
      try made(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1"], endpoint: "http://f:2"))
    #expect(flag.targets.values.allSatisfy { $0.address.host == "f" })
    let one = try #require(try made(["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://t:1"]))
    #expect(all.unknown == nil)
    let packed = try #require(try made(["OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"], endpoint: "http://c"))
    #expect(packed.unknown == "compression gzip")
    #expect(one.targets.keys.map(\.rawValue) == ["logs"] && one.targets[.logs]?.path == "/")
  }

  @Test func headersNamesAndTimes() throws {
    let all = try #require(
      try made(
        [
          "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%2Cb, other = c=d ", "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "k=v",
          "OTEL_SERVICE_NAME": "s", "OTEL_RESOURCE_ATTRIBUTES": "service.name=t,a=b",
          "OTEL_EXPORTER_OTLP_TIMEOUT": "1500", "OTEL_METRIC_EXPORT_INTERVAL": "100",
          "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "Delta",
        ], endpoint: "http://c", headers: ["flag=1"]))
    #expect(
      all.targets[.traces]?.headers == [
        .init(name: "api-key", value: "a,b"), .init(name: "other", value: "c=d"), .init(name: "flag", value: "1"),
      ])
    #expect(all.targets[.logs]?.headers.map(\.name) == ["k", "flag"])
    #expect(all.serviceName == "s" && all.attributes == [.init(name: "a", value: "b")] && all.isDelta)
    #expect(all.targets[.logs]?.timeout == .milliseconds(1500))
    #expect(all.targets[.metrics]?.interval == .milliseconds(100) && all.targets[.traces]?.interval == .seconds(5))
  }

  @Test(arguments: [
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "c:4317"], ["OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://c"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": "key"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": "k=a%0d%0aHost: x"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": "a b=c"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_LOGS_EXPORTER": "console"],
  ])
  func whatCannotBeIsRefused(_ variables: [String: String]) {
    #expect(throws: Fault.self) { try made(variables) }
  }
}

@Suite struct OTLPRetryTests {
  private let now = Timestamp(milliseconds: 1_800_000_000_000)

  private func step(_ retry: inout OTLPRetry, _ status: Int, _ headers: [(String, String)] = []) -> OTLPRetry.Step {
    retry.step(after: .success(HTTPReply(status: status, headers: headers)), chance: 1, now: now)
  }

  @Test func statuses() {
    for status in [429, 502, 503, 504] {
      var retry = OTLPRetry()
      #expect(step(&retry, status) == .again(after: .seconds(1), why: "status \(status)"))
      #expect(step(&retry, status) == .again(after: .seconds(2), why: "status \(status)"))
    }
    for status in [301, 400, 401, 404, 413, 500, 501] {
      var retry = OTLPRetry()
      #expect(step(&retry, status) == .over(why: "status \(status)"))
    }
    var retry = OTLPRetry()
    #expect(step(&retry, 200) == .taken(rejected: 0, message: ""))
  }

  @Test func serversSayWhen() {
    var retry = OTLPRetry()
    #expect(step(&retry, 503, [("Retry-After", "7")]) == .again(after: .seconds(7), why: "status 503"))
    let date = (now + .seconds(9)).httpDate
    #expect(step(&retry, 503, [("Retry-After", date)]) == .again(after: .seconds(9), why: "status 503"))
    #expect(step(&retry, 503, [("Retry-After", "-3")]) == .again(after: .zero, why: "status 503"))
  }

  @Test func afterFiveMinutesItIsOver() {
    var retry = OTLPRetry()
    var waited = Duration.zero
    for _ in 0..<100 {
      guard
        case .again(let wait, _) = retry.step(after: .failure(Fault("down")), chance: 0, now: now)
      else { break }
      #expect(wait <= .seconds(30))
      waited += wait
    }
    #expect(waited > .seconds(200) && waited <= OTLPRetry.patience)
  }

  @Test func partialSuccessAndReasons() {
    var reply = ProtobufWriter()
    reply.message(1) {
      $0.number(1, 3)
      $0.text(2, "too old")
    }
    var retry = OTLPRetry()
    let taken = HTTPReply(status: 200, body: ByteBuffer(bytes: reply.bytes))
    #expect(
      retry.step(after: .success(taken), chance: 0, now: now) == .taken(rejected: 3, message: "too old"))
    var status = ProtobufWriter()
    status.number(1, 3)
    status.text(2, "bad span")
    let refused = HTTPReply(status: 400, body: ByteBuffer(bytes: status.bytes))
    #expect(retry.step(after: .success(refused), chance: 0, now: now) == .over(why: "status 400: bad span"))
  }
}

@Suite struct SpanEncoderTests {
  private func spans(_ document: String) throws -> [[Int: [ProtobufReader.Value]]] {
    let encoder = SpanEncoder(context: OTLPContext(settings: try settings(), version: "1"))
    let item = SpanEncoder.Item(place: place, segment: try TraceSegment(document), source: nil)
    let request = fields(encoder.request([item]))
    return (request[1]?.first?.message[2]?.first?.message[2] ?? []).map(\.message)
  }

  private func attributes(_ span: [Int: [ProtobufReader.Value]], _ field: Int = 9) -> [String: String] {
    var all: [String: String] = [:]
    for pair in span[field] ?? [] {
      let value = pair.message[2]?.first?.message ?? [:]
      all[pair.message[1]?.first?.text ?? ""] =
        value[1]?.first?.text ?? value[2].map { "\($0[0].number)" }
        ?? value[3].map { "\($0[0].number)" } ?? "?"
    }
    return all
  }

  @Test func identifiersTimesAndParents() throws {
    let all = try spans(
      """
      {"id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"api","start_time":1461096053.374,
       "end_time":1461096053.403,"parent_id":"00000000000000aa","user":"ann",
       "http":{"request":{"method":"GET","url":"https://x/y"},"response":{"status":404}},"error":true,
       "subsegments":[{"id":"53995c3f42cd8ad9","name":"db","namespace":"remote","start_time":1461096053.38,
       "end_time":1461096053.39,"sql":{"sanitized_query":"SELECT 1"}},
       {"id":"53995c3f42cd8ad7","name":"not over","start_time":1461096053.38,"in_progress":true}]}
      """)
    #expect(all.count == 2)
    let (top, below) = (all[0], all[1])
    #expect(top[1]?.first?.bytes == SpanEncoder.bytes("5759e988bd862e3fe1be46a994272793", 16))
    #expect(top[2]?.first?.bytes == SpanEncoder.bytes("53995c3f42cd8ad8", 8))
    #expect(top[4]?.first?.bytes == SpanEncoder.bytes("00000000000000aa", 8))
    #expect(top[5]?.first?.text == "api" && top[6]?.first?.number == 2)
    #expect(top[7]?.first?.number == 1_461_096_053_374_000_000 && top[8]?.first?.number == 1_461_096_053_403_000_000)
    #expect(top[15]?.first?.message[3]?.first?.number == 2)
    #expect(
      attributes(top) == [
        "http.request.method": "GET", "url.full": "https://x/y", "http.response.status_code": "404", "user.id": "ann",
        "error.type": "404",
      ])
    #expect(below[4] == top[2] && below[6]?.first?.number == 3 && below[15] == nil)
    #expect(attributes(below) == ["db.query.text": "SELECT 1"])
  }

  @Test func exceptionsAreEvents() throws {
    let all = try spans(
      """
      {"id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"f","start_time":1,"end_time":2,
       "fault":true,"cause":{"exceptions":[{"id":"a","type":"E","message":"m","stack":[{"path":"p","line":3,"label":"l"}]}]}}
      """)
    let event = all[0][11]?.first?.message ?? [:]
    #expect(event[1]?.first?.number == 2_000_000_000 && event[2]?.first?.text == "exception")
    #expect(
      attributes(event, 3) == [
        "exception.type": "E", "exception.message": "m", "exception.stacktrace": "\tat l (p:3)",
      ])
    #expect(all[0][15]?.first?.message[2]?.first?.text == "m" && attributes(all[0])["error.type"] == "E")
  }

  @Test func streamsTellFunctions() {
    let id = String(repeating: "0a", count: 16)
    let own = OTLPResource(place: place, group: "/aws/lambda/f", stream: "2026/01/02/[$LATEST]\(id)")
    #expect(own.function == "f" && own.version == "$LATEST")
    let shared = OTLPResource(place: place, group: "mine", stream: "2026/01/02/g[7]\(id)")
    #expect(shared.function == "g" && shared.version == "7")
    for (group, stream) in [
      ("mine", "2026/01/02/[1]\(id)"), ("/aws/lambda/f", "x"), ("/aws/lambda/f", "2026/01/02/[1]short"),
    ] {
      #expect(OTLPResource(place: place, group: group, stream: stream).function == nil, "\(group) \(stream)")
    }
  }
}

@Suite struct MetricTallyTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)

  private func series(_ name: String, _ unit: String, space: String = "mine") -> MetricSeriesKey {
    MetricSeriesKey(metric: MetricName(place: place, space: space, name: name, dimensions: []), unit: unit)
  }

  @Test func kinds() {
    #expect(MetricTally.kind("AWS/Lambda", "ConcurrentExecutions", "Count") == .gauge(isGreatest: true))
    #expect(MetricTally.kind("AWS/Lambda", "ProvisionedConcurrencyInvocations", "Count") == .sum)
    #expect(MetricTally.kind("AWS/Lambda", "ProvisionedConcurrencyUtilization", "None") == .gauge(isGreatest: true))
    #expect(MetricTally.kind("AWS/Lambda", "Duration", "Milliseconds") == .histogram)
    #expect(MetricTally.kind("mine", "x", "Count/Second") == .gauge(isGreatest: false))
    #expect(MetricTally.unit("Kilobytes/Second") == "kBy/s" && MetricTally.unit("Count") == "1")
  }

  @Test func cumulativeAndDelta() {
    for isDelta in [false, true] {
      var tallies = MetricTallies(most: 10, now: start)
      tallies.add([.init("n", [], .one(3), unit: "Count")], space: "mine", place, now: start)
      #expect(tallies.take(now: start + .seconds(1), isDelta: isDelta).map(\.tally.sum) == [3])
      let idle = tallies.take(now: start + .seconds(2), isDelta: isDelta)
      #expect(idle.map(\.tally.sum) == (isDelta ? [] : [3]))
      tallies.add([.init("n", [], .many([(2, 2)]), unit: "Count")], space: "mine", place, now: start)
      let last = tallies.take(now: start + .seconds(3), isDelta: isDelta)
      #expect(last.map(\.tally.sum) == (isDelta ? [4] : [7]))
      #expect(last.map(\.tally.since) == [isDelta ? start + .seconds(2) : start])
    }
  }

  @Test func gaugesAreToldOnce() {
    var tallies = MetricTallies(most: 10, now: start)
    tallies.add(
      [.init("g", [], .one(3), unit: "None"), .init("g", [], .one(1), unit: "None")], space: "mine", place, now: start)
    #expect(tallies.take(now: start, isDelta: false).map(\.tally.last) == [1])
    #expect(tallies.take(now: start, isDelta: false).isEmpty)
    // The greatest of an interval, and not of all of them.
    var peak = MetricTally(series("ConcurrentExecutions", "Count", space: "AWS/Lambda"), since: start)
    for value in [5.0, 2] { peak.add(.one(value), at: start) }
    #expect(peak.maximum == 5)
    peak.reported(at: start, isDelta: false)
    peak.add(.one(2), at: start)
    #expect(peak.maximum == 2)
  }

  @Test func bucketsHoldEveryValue() {
    var random = SplitMix(seed: 11)
    for unit in ["Seconds", "Milliseconds", "Microseconds", "Bytes", "Terabits"] {
      var tally = MetricTally(series("t", unit), since: start)
      var sum = 0.0
      for _ in 0..<500 {
        let value = Double(random.next() % 5_000_000) / 100
        sum += value
        tally.add(.one(value), at: start)
      }
      tally.add(.set(count: 4, sum: 40, minimum: 1, maximum: 29), at: start)
      #expect(tally.buckets.reduce(0, +) == 504 && tally.count == 504 && abs(tally.sum - sum - 40) < 1e-3)
      #expect(tally.bounds == tally.bounds.sorted() && tally.buckets.count == tally.bounds.count + 1)
    }
  }

  @Test func seriesAreBoundedAndForgotten() {
    var tallies = MetricTallies(most: 2, now: start)
    for name in ["a", "b", "c"] {
      tallies.add([.init(name, [], .one(1), unit: "Count")], space: "mine", place, now: start)
    }
    #expect(tallies.count == 2 && tallies.dropped == 1)
    #expect(tallies.take(now: start + .seconds(4000), isDelta: false).count == 2)
    #expect(tallies.count == 0)
  }

  @Test func invocationsAreToldOnce() {
    var tallies = MetricTallies(most: 10, now: start)
    let (name, resource) = (CloudWatch.Dimension("FunctionName", "f"), CloudWatch.Dimension("Resource", "f:a"))
    for dimensions in [[], [name], [name, resource], [name, resource, .init("ExecutedVersion", "1")]] {
      tallies.add(
        [.init("Invocations", dimensions, .one(1), unit: "Count")], space: "AWS/Lambda", place, now: start)
    }
    #expect(tallies.take(now: start, isDelta: false).map { $0.key.metric.dimensions } == [[name, resource]])
  }
}

@Suite struct StreamCourseTests {
  private let first = "6a1f3c52-0000-4000-8000-000000000001"
  private let second = "6a1f3c52-0000-4000-8000-000000000002"

  private func id(_ course: inout StreamCourse, _ line: String) -> String? {
    course.record(ByteBuffer(string: line)).attributes.first { $0.name == "faas.invocation_id" }?.value.string
  }

  @Test func linesBelongToWhatRuns() {
    var course = StreamCourse(isFunction: true)
    #expect(id(&course, "INIT_START Runtime Version: x\n") == nil)
    #expect(id(&course, "START RequestId: \(first) Version: 1\n") == first)
    #expect(id(&course, "anything\n") == first)
    #expect(id(&course, "END RequestId: \(first)\n") == first)
    #expect(id(&course, "after\n") == nil)
    #expect(id(&course, "REPORT RequestId: \(first)\tDuration: 1 ms\t\n") == first)
    // Of two that run, nobody knows which has printed.
    #expect(id(&course, "START RequestId: \(first) Version: 1\n") == first)
    #expect(id(&course, "START RequestId: \(second) Version: 1\n") == second)
    #expect(id(&course, "anything\n") == nil)
    #expect(id(&course, "[INFO]\t2026-01-02T03:04:05.678Z\t\(first)\twords\n") == first)
    #expect(id(&course, #"{"AWSRequestId":"\#(second)"}"#) == second)
  }

  @Test func tracesGoWithTheirInvocations() throws {
    var course = StreamCourse(isFunction: true)
    let root = "1-5759e988-bd862e3fe1be46a994272793"
    course.note([.init(request: first, root: root, span: "00000000000000aa")])
    let record = course.record(ByteBuffer(string: "START RequestId: \(first) Version: 1\n"))
    let trace = try #require(record.trace)
    #expect(trace.root == SpanEncoder.bytes("5759e988bd862e3fe1be46a994272793", 16))
    #expect(trace.span == SpanEncoder.bytes("00000000000000aa", 8))
    #expect(course.record(ByteBuffer(string: "words\n")).trace == trace)
    // Powertools writes the trace itself.
    let line = #"{"level":"ERROR","xray_trace_id":"\#(root)","function_request_id":"\#(first)"}"#
    #expect(course.record(ByteBuffer(string: line)).trace == trace)
    #expect(
      course.record(ByteBuffer(string: #"{"type":"platform.start","record":{"requestId":"\#(second)"}}"#)).trace == nil)
  }

  @Test func severities() {
    var course = StreamCourse(isFunction: true)
    for (line, number) in [
      ("[ERROR]\t2026-01-02T03:04:05.678Z\t\(first)\tbad", 17), ("2026-01-02T03:04:05.678Z\t\(first)\tWARN\tbad", 13),
      (#"{"level":"debug","message":"x"}"#, 5), (#"{"level":"CRITICAL"}"#, 21), (#"{"level":7}"#, nil), ("words", nil),
      ("[not a level] x", nil), ("END RequestId: \(first)\n", 9), ("", nil), ("{", nil),
    ] as [(String, Int64?)] {
      #expect(course.record(ByteBuffer(string: line)).severity?.number == number, "\(line)")
    }
  }
}

@Suite struct TelemetryExportTests {
  /// A collector: what it got, and what it answers with.
  private final class Collector: Sendable {
    let bodies = Mutex<[(TelemetrySignal, [UInt8])]>([])
    let statuses = Mutex<[Int]>([])

    func post(_ signal: TelemetrySignal) -> TelemetrySender.Post {
      { (_, body) async throws(Fault) in
        let status = self.statuses.withLock { $0.isEmpty ? 200 : $0.removeFirst() }
        guard status != 0 else { throw Fault("nobody is there") }
        if status == 200 { self.bodies.withLock { $0.append((signal, Array(body.readableBytesView))) } }
        return HTTPReply(status: status)
      }
    }
  }

  private func export(_ collector: Collector, _ limits: TelemetryExport.Limits = .init()) throws -> TelemetryExport {
    TelemetryExport(
      try settings(), version: "1", world: RealWorld(), log: Logger(label: "") { _ in SwiftLogNoOpLogHandler() },
      limits: limits
    ) { signal, _ in
      collector.post(signal)
    }
  }

  private func batch(_ lines: Int) -> LogBatch {
    var batch = LogBatch()
    for line in 0..<lines { batch.append("line \(line)\n", at: 1_800_000_000_000) }
    return batch
  }

  private let stream = LogStreamName(place: place, group: "g", stream: "s")

  @Test func whatIsLeftGoesAtTheEnd() async throws {
    let collector = Collector()
    let export = try export(collector)
    export.took(batch(3), of: stream, received: 1_800_000_000_000)
    export.took([.init("n", [], .one(1), unit: "Count")], space: "mine", place)
    export.took(
      try TraceSegment(
        #"{"id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"f","start_time":1,"end_time":2}"#
      ),
      nil, in: place)
    collector.statuses.withLock { $0 = [503, 0] }
    export.stop()
    // Two of the three attempts fail, and none is repeated any more.
    await export.run { _ in }
    #expect(collector.bodies.withLock { $0.count } == 1)
    let figures = export.figures
    #expect(figures.map(\.signal) == [.traces, .metrics, .logs])
    #expect(figures.reduce(0) { $0 + $1.exported + $1.failed } == 5)
  }

  @Test func troublesPass() async throws {
    let collector = Collector()
    let export = try export(collector)
    collector.statuses.withLock { $0 = [0, 503, 429, 200] }
    export.took(batch(2), of: stream, received: 0)
    async let running: Void = export.run { _ in await Task.yield() }
    while collector.bodies.withLock({ $0.isEmpty }) { await Task.yield() }
    export.stop()
    await running
    let logs = try #require(export.figures.first { $0.signal == .logs })
    #expect(logs.exported == 2 && logs.failed == 0 && logs.retries == 3)
  }

  @Test func whatFindsNoRoomIsCounted() throws {
    var limits = TelemetryExport.Limits()
    limits.logs = 100
    let export = try export(Collector(), limits)
    for _ in 0..<5 { export.took(batch(2), of: stream, received: 0) }
    let logs = try #require(export.figures.first { $0.signal == .logs })
    #expect(logs.waiting > 0 && logs.dropped > 0 && logs.waiting * 2 + logs.dropped == 10)
  }

  @Test func eventsAreToldOfOnce() throws {
    let export = try export(Collector())
    let event = try TraceSegment(
      #"{"id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"f","origin":"AWS::Lambda","http":{"response":{"status":202}},"start_time":1,"end_time":2}"#
    )
    let open = try TraceSegment(
      #"{"id":"53995c3f42cd8ad9","trace_id":"1-5759e988-bd862e3fe1be46a994272793","name":"f","start_time":1,"in_progress":true}"#
    )
    for segment in [event, event, open] { export.took(segment, nil, in: place) }
    #expect(export.figures.first { $0.signal == .traces }?.waiting == 1)
  }
}
