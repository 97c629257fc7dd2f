// X-Ray's filter expressions, datagrams, ids and reservoirs as values: what is read, and what is refused where.
import MartletCore
import MartletWire
import NIOCore
import Testing

@testable import MartletCloud

/// Chance that is the same every time.
private struct Dice: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

@Suite struct TraceFilterTests {
  private static let good = [
    "fault", "!error", "ok AND NOT fault", "responsetime > 5",
    "duration >= 0.5 AND duration <= 1e3",
    "http.status != 200", #"http.url CONTAINS "x" OR user = "bob""#, #"annotation.key = "a \"b\"""#,
    "annotation[a] > 3",
    "annotation.flag = true", "annotation.there", #"service("api")"#,
    #"service("api") { fault = true }"#,
    #"service(id(name: "api", type: "AWS::EC2::Instance", account.id: "1"))"#, "service()",
    #"edge("a", "b") { error OR throttle }"#, "edge()", #"group.name = "g""#, "(fault)",
    #"message BEGINSWITH 'x'"#,
    "fault && !(error || throttle)", #"resource.arn ENDSWITH "f" AND http.method = "GET""#,
    "FAULT and RESPONSETIME > 1",
  ]

  @Test(arguments: good) func expressionsAreRead(text: String) throws {
    let filter = try TraceFilterParser.parse(text)
    #expect(try TraceFilterParser.parse(filter.description) == filter)
  }

  private static let bad: [(text: String, position: Int)] = [
    ("", 1), ("fault AND", 10), ("nonsense", 1), ("responsetime", 13), ("responsetime = \"x\"", 16),
    ("user = 3", 8),
    ("(fault", 7), ("fault)", 6), ("service(", 9), ("service(\"a\") {", 15), ("edge(\"a\")", 9),
    ("\"x", 1), ("fault = 1", 9),
    ("# fault", 1), ("http.url LIKE \"x\"", 10), ("annotation[", 12),
    ("service(id(colour: \"x\"))", 12), ("fault error", 7),
    ("responsetime > > 1", 16),
  ]

  @Test(arguments: bad) func whatIsWrongHasAPlace(text: String, position: Int) {
    do throws(TraceFilterParser.Flaw) {
      let filter = try TraceFilterParser.parse(text)
      Issue.record("\(text) was read as \(filter)")
    } catch {
      #expect(error.position == position, "\(text): \(error.reason)")
    }
  }

  @Test func deepExpressionsAreRefused() {
    for piece in ["(", "!", "service() {", "NOT "] {
      let text = String(repeating: piece, count: 900) + "fault"
      #expect(throws: TraceFilterParser.Flaw.self) { try TraceFilterParser.parse(text) }
    }
  }

  private static func text(_ dice: inout Dice) -> String {
    String(
      (0..<Int.random(in: 0...5, using: &dice)).map { _ in
        #"ab"\ '{é"#.randomElement(using: &dice) ?? "a"
      })
  }

  private static func number(_ dice: inout Dice) -> Double {
    [0, 1, -2.5, 1e-7, 1e20, 0.25, 404].randomElement(using: &dice) ?? 0
  }

  private static func selector(_ dice: inout Dice) -> TraceFilter.Selector? {
    switch Int.random(in: 0...3, using: &dice) {
    case 0: nil
    case 1: TraceFilter.Selector(name: text(&dice))
    case 2: TraceFilter.Selector(type: text(&dice))
    default: TraceFilter.Selector(name: text(&dice), type: text(&dice), account: text(&dice))
    }
  }

  private static func test(_ dice: inout Dice) -> TraceFilter.Test? {
    switch Int.random(in: 0...3, using: &dice) {
    case 0: nil
    case 1:
      .number(TraceFilter.Comparison.allCases.randomElement(using: &dice) ?? .less, number(&dice))
    case 2:
      .text(TraceFilter.TextComparison.allCases.randomElement(using: &dice) ?? .equal, text(&dice))
    default: .bool(Bool.random(using: &dice), isNegated: Bool.random(using: &dice))
    }
  }

  private static func filter(_ dice: inout Dice, depth: Int) -> TraceFilter {
    switch Int.random(in: depth > 0 ? 0...9 : 3...7, using: &dice) {
    case 0: .and(filter(&dice, depth: depth - 1), filter(&dice, depth: depth - 1))
    case 1: .or(filter(&dice, depth: depth - 1), filter(&dice, depth: depth - 1))
    case 2: .not(filter(&dice, depth: depth - 1))
    case 3: .flag(TraceFilter.Flag.allCases.randomElement(using: &dice) ?? .ok)
    case 4:
      .number(
        TraceFilter.NumberKey.allCases.randomElement(using: &dice) ?? .duration,
        TraceFilter.Comparison.allCases.randomElement(using: &dice) ?? .less, number(&dice))
    case 5:
      .text(
        TraceFilter.TextKey.allCases.randomElement(using: &dice) ?? .user,
        TraceFilter.TextComparison.allCases.randomElement(using: &dice) ?? .equal, text(&dice))
    case 6: .annotation(["key", "a.b", "x_1"].randomElement(using: &dice) ?? "k", test(&dice))
    case 7: .group(isARN: Bool.random(using: &dice), text(&dice))
    case 8:
      .service(selector(&dice), Bool.random(using: &dice) ? filter(&dice, depth: depth - 1) : nil)
    default:
      .edge(
        selector(&dice), selector(&dice),
        Bool.random(using: &dice) ? filter(&dice, depth: depth - 1) : nil)
    }
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    var dice = Dice(state: 7)
    for _ in 0..<2000 {
      let filter = TraceFilterTests.filter(&dice, depth: 4)
      #expect(try TraceFilterParser.parse(filter.description) == filter, "\(filter)")
    }
  }

  @Test func anyTextIsReadOrRefusedWithinIt() {
    var dice = Dice(state: 11)
    let pieces =
      Array("(){}[]=!<>,:\"' ").map(String.init) + TraceFilterTests.good + [
        "AND", "service", "1", "é", "\\",
      ]
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0...8, using: &dice)).map { _ in
        pieces.randomElement(using: &dice) ?? ""
      }.joined()
      do throws(TraceFilterParser.Flaw) {
        _ = try TraceFilterParser.parse(text)
      } catch {
        #expect((1...(text.unicodeScalars.count + 1)).contains(error.position), "\(text)")
      }
    }
  }

  // MARK: - Datagrams

  private static let segment =
    #"{"id":"000000000000000a","trace_id":"1-5e34a614-000000000000000000000001","name":"n","start_time":1,"end_time":2}"#

  @Test func datagramsAreRead() throws {
    for head in [#"{"format":"json","version":1}"#, #"{"version": 1, "format": "JSON"}"#] {
      let found = try TraceDatagram.segment(
        ByteBuffer(string: head + "\n" + TraceFilterTests.segment))
      #expect(found.id == "000000000000000a" && found.end == 2)
    }
    for bad in [
      "", "\n", TraceFilterTests.segment, #"{"format":"json"}"# + "\n" + TraceFilterTests.segment,
      #"{"format":"json","version":2}"# + "\n" + TraceFilterTests.segment,
      #"{"format":"json","version":1}"# + "\n",
      #"{"format":"json","version":1}"# + "\n[]", String(repeating: " ", count: 1000) + "\n{}",
    ] {
      #expect(throws: TraceSegment.Flaw.self, "\(bad)") {
        try TraceDatagram.segment(ByteBuffer(string: bad))
      }
    }
  }

  @Test func anyDatagramIsASegmentOrNone() {
    var dice = Dice(state: 3)
    let whole = Array((#"{"format":"json","version":1}"# + "\n" + TraceFilterTests.segment).utf8)
    for _ in 0..<5000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &dice)
        switch Int.random(in: 0...2, using: &dice) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
        case 1: bytes.remove(at: place)
        default: bytes = Array(bytes[..<max(1, place)])
        }
      }
      if let found = try? TraceDatagram.segment(ByteBuffer(bytes: bytes)) {
        #expect(found.id.utf8.count == 16 && found.start.isFinite)
      }
    }
  }

  @Test func tracesArePutTogetherInAnyOrder() throws {
    var dice = Dice(state: 5)
    let id = "1-5e34a614-000000000000000000000001"
    func node(_ number: Int, parent: Int?) throws -> TraceSegment {
      func name(_ number: Int) -> String {
        String(repeating: "0", count: 15) + String(number, radix: 16)
      }
      let more = parent.map { #","type":"subsegment","parent_id":"\#(name($0))""# } ?? ""
      return try TraceSegment(
        #"{"id":"\#(name(number))","trace_id":"\#(id)","name":"n","start_time":\#(number),"end_time":20\#(more)}"#
      )
    }
    for _ in 0..<200 {
      // Parents at random: circles and lost parents among them.
      let segments = try (0..<15).map {
        try node($0, parent: $0 == 0 ? nil : Int.random(in: 0...15, using: &dice))
      }
      let trace = Trace(id: id, segments.shuffled(using: &dice))
      var seen: [String] = []
      for segment in trace.segments {
        Trace.walk(segment.document) { node, _ in if let id = node["id"]?.string { seen.append(id) }
        }
      }
      #expect(seen.count == 15 && Set(seen).count == 15, "every segment is there once")
    }
  }

  // MARK: - Sampling

  @Test func reservoirsFillEverySecond() {
    var reservoir = SamplingReservoir()
    let first = (0..<5).map { _ in
      reservoir.decide(second: 1, size: 2, rate: 0, chance: 0).isSampled
    }
    #expect(first == [true, true, false, false, false])
    #expect(
      reservoir.decide(second: 2, size: 2, rate: 0, chance: 0)
        == .init(isSampled: true, isBorrowed: true))
    #expect(
      reservoir.decide(second: 2, size: 0, rate: 1, chance: .max)
        == .init(isSampled: true, isBorrowed: false))
    #expect(!reservoir.decide(second: 2, size: 0, rate: 0.5, chance: .max).isSampled)
    #expect(!reservoir.decide(second: 2, size: 0, rate: 0, chance: 0).isSampled)
  }

  @Test func rulesMatchByWildcards() {
    for (pattern, text) in [("*", ""), ("a*c", "ABBC"), ("a?c", "abc"), ("*x*y", "1x2y"), ("", "")] {
      #expect(SamplingRule.matches(pattern, text))
    }
    for (pattern, text) in [("a", ""), ("a?c", "ac"), ("a*b", "abc"), ("?", "")] {
      #expect(!SamplingRule.matches(pattern, text))
    }
  }

  @Test func identifiersAreRead() {
    #expect(
      TraceID("1-5E34A614-10000000000000000000000A")?.description
        == "1-5e34a614-10000000000000000000000a")
    #expect(
      TraceID("5e34a61410000000000000000000000a")?.description
        == "1-5e34a614-10000000000000000000000a")
    for bad in [
      "", "1-5e34a614", "2-5e34a614-10000000000000000000000a",
      "1-5e34a61-10000000000000000000000a0", "1-xe34a614-10000000000000000000000a",
    ] {
      #expect(TraceID(bad) == nil)
    }
  }
}
