// Telemetry without an environment: subscriptions, batches, lines, levels, and what each schema shows.
import MartletCore
import MartletWire
import NIOCore
import Testing

@testable import MartletLambda

@Suite struct TelemetryTests {
  private static let good =
    #"{"schemaVersion":"2022-12-13","types":["platform","function"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/a/b"}}"#

  private func subscription(_ text: String, _ api: TelemetrySubscription.API = .telemetry) throws
    -> TelemetrySubscription
  {
    try TelemetrySubscription(api, JSONValue(parsing: text))
  }

  @Test func subscriptionsHaveAWSsDefaults() throws {
    let found = try subscription(TelemetryTests.good)
    #expect(
      found.categories == [.platform, .function] && found.destination == .http(method: "POST", port: 8080, path: "/a/b")
    )
    #expect(found.buffering == .init(maxItems: 10_000, maxBytes: 262_144, timeout: 1_000))
    let logs = try subscription(#"{"types":["extension"],"destination":{"protocol":"TCP","port":1234}}"#, .logs)
    #expect(logs.schema == "2020-08-15" && logs.destination == .tcp(port: 1234))
    let short = try subscription(
      #"{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox"}}"#)
    #expect(short.destination == .http(method: "POST", port: 80, path: "/"))
  }

  @Test(arguments: [
    "[]", "{}", #"{"schemaVersion":"2021-03-18","types":["platform"],"destination":{"protocol":"TCP","port":1}}"#,
    #"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"TCP","port":65536}}"#,
    #"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"TCP","port":1},"buffering":[]}"#,
    #"{"schemaVersion":"2022-12-13","types":[1],"destination":{"protocol":"TCP","port":1}}"#,
    #"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox:1:2/"}}"#,
    #"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox:1/a b"}}"#,
  ]) func subscriptionsThatAreRefused(text: String) {
    #expect(throws: TelemetrySubscription.Flaw.self) { try subscription(text) }
  }

  private func event(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 120, count: count) }

  @Test func aBatchIsDueWhenItIsFullOrOld() {
    var buffer = TelemetryBuffer(.init(maxItems: 1_000, maxBytes: 262_144, timeout: 50))
    #expect(buffer.due == nil)
    buffer.append(event(10), now: 7_000)
    #expect(buffer.due == 50_007_000)
    for _ in 0..<999 { buffer.append(event(10), now: 9_000) }
    #expect(buffer.due == 0 && buffer.take(now: 10_000).count == 1_000 && buffer.due == nil)
    buffer.append(event(262_144), now: 11_000)
    #expect(buffer.due == 0)
    buffer.append(event(5), now: 11_000)
    #expect(buffer.take(now: 12_000).count == 1 && buffer.take(now: 12_000).count == 1)
  }

  @Test func anEventThatIsLargerThanABatchIsABatch() {
    var buffer = TelemetryBuffer(.init())
    buffer.append(event(600_000), now: 0)
    buffer.append(event(1), now: 0)
    #expect(buffer.take(now: 0).map(\.readableBytes) == [600_000])
  }

  @Test func whatASlowSubscriberLosesIsCounted() {
    var buffer = TelemetryBuffer(.init())
    var kept = 0
    for _ in 0..<2_000 { buffer.append(event(1_000), now: 0) }
    while buffer.due != nil { kept += buffer.take(now: 0).count }
    #expect(kept == 4 * 262_144 / 1_000)
    #expect(
      buffer.takeLoss() == .init(records: 2_000 - kept, bytes: (2_000 - kept) * 1_000) && buffer.takeLoss() == nil)
  }

  @Test func nothingIsLostOrDoubledInRandomOrder() {
    var random = SplitMix(seed: 11)
    for _ in 0..<200 {
      var buffer = TelemetryBuffer(.init(maxItems: 1_000, maxBytes: 262_144, timeout: 25))
      var (given, got) = (0, 0)
      for now in 0..<300 {
        if random.next() % 3 > 0 {
          buffer.append(event(Int(random.next() % 20_000)), now: UInt64(now))
          given += 1
        } else if buffer.due != nil {
          let batch = buffer.take(now: UInt64(now))
          #expect(!batch.isEmpty && (batch.count == 1 || batch.reduce(0) { $0 + $1.readableBytes } <= 262_144))
          got += batch.count
        }
      }
      while buffer.due != nil { got += buffer.take(now: 300).count }
      #expect(got + buffer.loss.records == given)
    }
  }

  @Test func linesAreCutWhereverThePiecesEnd() {
    let text = "one\ntwo\r\n\nlast"
    for cut in 0...text.utf8.count {
      var lines = LineBuffer()
      let bytes = Array(text.utf8)
      let found = lines.append(ByteBuffer(bytes: bytes[..<cut])) + lines.append(ByteBuffer(bytes: bytes[cut...]))
      #expect(found.map { String(buffer: $0) } == ["one", "two\r", ""])
      #expect(lines.flush().map { String(buffer: $0) } == "last" && lines.flush() == nil)
    }
    var long = LineBuffer()
    #expect(
      long.append(ByteBuffer(repeating: 97, count: LineBuffer.limit + 1)).map(\.readableBytes) == [LineBuffer.limit])
  }

  @Test func levelsOfRecords() throws {
    #expect(LogLevel.of(try JSONValue(parsing: #"{"level":"warning"}"#)) == .warn)
    #expect(LogLevel.of(try JSONValue(parsing: #"{"log_level":"ERROR"}"#)) == .error)
    #expect(LogLevel.of(try JSONValue(parsing: #"{"level":30}"#)) == .info)
    #expect(LogLevel.of(try JSONValue(parsing: #"{"level":"loud"}"#)) == .info)
  }

  @Test func carriageReturnsWithinAMessageAreItsLineEnds() throws {
    let event = TelemetryEvent(
      time: Timestamp(milliseconds: 0), category: .function, payload: .text(ByteBuffer(string: "a\r\u{a0}b\"\r")))
    let bytes = try #require(event.encoded(for: try subscription(TelemetryTests.good)))
    #expect(
      String(buffer: bytes)
        == #"{"time":"1970-01-01T00:00:00.000Z","type":"function","record":"a\n"# + "\u{a0}" + #"b\""}"#)
  }
}
