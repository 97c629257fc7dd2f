// Queries of Logs Insights: the language, its functions, and properties of parser and evaluator.
import MartletCore
import Testing

@testable import MartletCloud

@Suite struct LogQueryTests {
  static let events = [
    #"{"level":"INFO","n":1,"user":{"id":"a"},"tags":["x","y"]}"#,
    #"{"level":"ERROR","n":2,"user":{"id":"b"},"f":2.5}"#,
    #"{"level":"ERROR","n":3,"user":{"id":"a"}}"#,
    "plain text user=bob, took 17 ms",
    "START RequestId: 11111111-2222-3333-4444-555555555555 Version: $LATEST\n",
    "REPORT RequestId: 11111111-2222-3333-4444-555555555555\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 100.5 ms\t\n",
    "2026-01-02T03:04:05.678Z\t11111111-2222-3333-4444-555555555555\tINFO\thello",
    #"{"time":"t","type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":5.5,"memorySizeMB":256}}}"#,
  ]

  /// The results, as `field=value` joined by commas; events are a minute apart.
  private func run(_ text: String, limit: Int = 10_000, on events: [String] = LogQueryTests.events) throws -> [String] {
    let query = try Query(text)
    var run = QueryRun(query, limit: limit, now: 1_800_000_000_000)
    for (number, event) in events.enumerated() {
      var event = event
      event.withUTF8 { bytes in
        _ = run.add(
          QueryEvent(
            time: 1_800_000_000_000 + Int64(number) * 60_000, ingestion: 0, stream: "s\(number)", group: "1:g",
            pointer: { "p\(number)" }, text: UnsafeRawBufferPointer(bytes)))
      }
    }
    return run.finish().map { row in row.map { "\($0.field)=\($0.value)" }.joined(separator: ",") }
  }

  @Test(arguments: [
    ("fields n | filter level = 'ERROR' | sort n asc", ["n=2", "n=3"]),
    ("filter level in ['INFO', 'x'] | display n", ["n=1"]),
    ("filter level not in ['INFO'] and ispresent(level) | fields n | sort n", ["n=2", "n=3"]),
    ("filter n >= 2 and not (n = 3) | display n", ["n=2"]),
    ("fields user.id as u | filter u like /^a$/ | sort n desc | display u, n", ["u=a,n=3", "u=a,n=1"]),
    (
      "filter @message like 'plain' | parse @message 'user=*, took * ms' as who, ms | display who, ms + 1 as more",
      ["who=bob,more=18"]
    ),
    ("filter @message like /(?i)PLAIN/ | parse @message /user=(?<who>\\w+)/ | display who", ["who=bob"]),
    ("parse @message /took (\\d+)/ as ms | filter ispresent(ms) | display ms", ["ms=17"]),
    ("stats count(*) by level | filter level != ''", ["level=INFO,count(*)=1", "level=ERROR,count(*)=2"]),
    (
      "stats count(*) as c, sum(n) as s, avg(n), min(n), max(n) by level | filter level = 'ERROR'",
      ["level=ERROR,c=2,s=5,avg(n)=2.5,min(n)=2,max(n)=3"]
    ),
    ("stats count(n) as c, count_distinct(user.id) as d, pct(n, 50) as p, stddev(n) as sd", ["c=3,d=2,p=2,sd=0.8165"]),
    ("stats sum(n) / count(n) as mean", ["mean=2"]),
    ("stats latest(n) as l, earliest(n) as e", ["l=3,e=1"]),
    (
      "filter n > 0 | stats count(*) by bin(2m) as t | sort t",
      ["t=2027-01-15 08:00:00.000,count(*)=2", "t=2027-01-15 08:02:00.000,count(*)=1"]
    ),
    (
      "filter @type = 'REPORT' and @duration > 6 | fields @requestId, @billedDuration, @memorySize / 1000000 as mb, @initDuration",
      ["@requestId=11111111-2222-3333-4444-555555555555,@billedDuration=13,mb=128,@initDuration=100.5"]
    ),
    (
      "filter @requestId = 'r' | fields @duration, @memorySize, @type",
      ["@duration=5.5,@memorySize=256000000,@type=REPORT"]
    ),
    ("stats count(*) as c by @requestId | sort c desc | limit 1", ["@requestId=null,c=4"]),
    ("fields tags.1 as t | filter ispresent(t) | display t", ["t=y"]),
    ("filter level = 'ERROR' | dedup level | display n", ["n=3"]),
    ("filter n > 0 | sort n desc | dedup user.id | display n", ["n=3", "n=2"]),
    (
      "filter n = 2 | display concat(level, '-', n) as c, strlen(level) as l, tolower(level) as x, substr(level, 1, 2) as s",
      ["c=ERROR-2,l=5,x=error,s=RR"]
    ),
    (
      "filter n = 2 | display abs(0 - n) as a, ceil(f) as c, floor(f) as f2, greatest(n, f) as g, n % 2 as m, 2 ^ 3 as p",
      ["a=2,c=3,f2=2,g=2.5,m=0,p=8"]
    ),
    (
      "filter n = 1 | display isempty(nope) as e, coalesce(nope, 'x') as c, trim('  a ') as t, replace('aba', 'a', 'c') as r",
      ["e=1,c=x,t=a,r=cbc"]
    ),
    ("fields @timestamp | filter n = 1", ["@timestamp=2027-01-15 08:00:00.000"]),
    ("filter n = 1 # a comment\n| display n", ["n=1"]),
    ("stats count(*) as c by level | stats max(c) as m", ["m=5"]),
    ("filter n > 100 | stats count(*) as c", ["c=0"]),
    ("fields `user.id` | filter `user.id` = 'b'", ["user.id=b"]),
    ("filter n > 0 | stats count(*) by level | sort count(*) desc | limit 1", ["level=ERROR,count(*)=2"]),
  ]) func queriesGiveWhatTheySay(_ text: String, _ expected: [String]) throws {
    let expected = expected.map { $0.replacing("@requestId=null,", with: "") }
    #expect(try run(text) == expected)
  }

  @Test func withoutASortTheNewestComeFirst() throws {
    #expect(try run("filter n > 0 | display n | limit 2") == ["n=3", "n=2"])
    #expect(try run("display n", limit: 1).count == 1)
    #expect(try run("filter n = 1").first?.hasPrefix("@timestamp=2027-01-15 08:00:00.000,@message={") == true)
  }

  @Test(arguments: [
    ("", 0, 1), ("nonsense", 0, 8), ("fields", 6, 7), ("fields a |", 10, 11), ("filter a = ", 11, 12),
    ("filter (a = 1", 13, 14), ("limit 0", 6, 7), ("limit 99999", 6, 11), ("stats a", 6, 7), ("fields sum(a)", 7, 10),
    ("fields foo(a)", 7, 10), ("fields a b", 9, 10), ("pattern", 7, 8), ("diff", 0, 4),
    ("sort n | pattern @message | diff", 28, 32), ("pattern @message | diff yesterday", 24, 33), ("unnest a", 0, 6),
    ("filter a like /(/", 14, 17), ("parse @message 'a*b*' as x", 15, 21), ("fields 'a", 7, 9), ("fields ~", 7, 8),
    ("stats sum(max(a))", 10, 13), ("filter bin(5q) = 1", 11, 13),
  ]) func flawsHaveTheirPlace(_ text: String, _ start: Int, _ end: Int) {
    do throws(QueryFlaw) {
      _ = try Query(text)
      Issue.record("\(text) is a query")
    } catch {
      #expect(error.start == start && error.end == end, "\(text): \(error)")
      #expect(error.message.contains("line 1 and position \(start + 1)"), "\(error.message)")
    }
  }

  /// Every text is a query or a flaw within it, and every query runs on everything.
  @Test func everyTextIsAQueryOrAFlaw() {
    var random = SplitMix(seed: 11)
    let seeds = [
      "fields @timestamp, a + b * 2 as c | filter a like /x+/ and b in [1, 2] | sort c desc | limit 5",
      "stats count(*), pct(@duration, 95) by bin(5m), level | filter level != 'x' | display level",
      "parse @message 'a*b*' as x, y | dedup x | filter not ispresent(y) or y =~ /(?<z>q)/",
      "parse @message /(?<a>\\d+)-(?<b>.*)/ | stats avg(a) as m by b | sort m",
      "filter a like 'x' | pattern @message | diff previousDay | sort @ratio | display @pattern, @diffEventCount",
    ].map { Array($0.utf8) }
    for round in 0..<3000 {
      let text = String(decoding: random.mutated(seeds[round % seeds.count]), as: UTF8.self)
      do {
        _ = try run(text)
      } catch let flaw as QueryFlaw {
        #expect(flaw.start <= text.count && flaw.end > flaw.start && flaw.end <= text.count + 1, "\(text)")
      } catch { Issue.record("\(error)") }
    }
  }

  /// Cutting to what can be shown while events come gives what sorting all of them at the end gives.
  @Test func whatIsKeptIsWhatSortsFirst() throws {
    var random = SplitMix(seed: 5)
    let numbers = (0..<20_000).map { _ in Int(random.next() % 1_000_000) }
    let events = numbers.map { "{\"n\":\($0)}" }
    let found = try run("fields n | sort n desc | limit 10", on: events)
    #expect(found == numbers.sorted(by: >).prefix(10).map { "n=\($0)" })
  }

  @Test func needlesAreThoseOfTheFirstFilters() throws {
    func needle(_ text: String) throws -> String? {
      try Query(text).needle.map { String(decoding: $0.bytes, as: UTF8.self) }
    }
    #expect(try needle("filter @message like 'abc' and n > 1") == "abc")
    #expect(try needle("filter @message like 'abc' or n > 1") == nil)
    #expect(try needle("stats count(*) | filter @message like 'abc'") == nil)
  }

  @Test func numbersAreShownAsByAWS() {
    #expect(QueryValue.shown(3) == "3")
    #expect(QueryValue.shown(-2.5) == "-2.5")
    #expect(QueryValue.shown(1.0 / 3) == "0.3333")
    #expect(QueryValue.shown(time: 1_800_000_000_123) == "2027-01-15 08:00:00.123")
  }

  // MARK: - Patterns

  @Test func patternsAreWhatTextsHaveInCommon() throws {
    let events = [
      "2027-01-15T08:00:00.000Z [INFO] order 17 paid by ann in 12.5 ms", "10.0.0.1 - GET /a 200",
      "2027-01-15T08:00:01.000Z [INFO] order 18 paid by bob in 7 ms", "10.0.0.2 - GET /a 404",
      "2027-01-15T08:00:02.000Z [ERROR] order 19 paid by bob in 7 ms", "nothing like it",
    ]
    #expect(
      try run("pattern @message", on: events) == [
        "@pattern=<DateTime-1> [INFO] order <Number-2> paid by <Token-3> in <Number-4> ms,@ratio=0.3333,@sampleCount=2,@severityLabel=INFO",
        "@pattern=<IP-1> - GET /a <Number-2>,@ratio=0.3333,@sampleCount=2,@severityLabel=NONE",
        "@pattern=<DateTime-1> [ERROR] order <Number-2> paid by bob in <Number-3> ms,@ratio=0.1667,@sampleCount=1,@severityLabel=ERROR",
        "@pattern=nothing like it,@ratio=0.1667,@sampleCount=1,@severityLabel=NONE",
      ])
    #expect(
      try run(
        "filter @message like 'order' | pattern @message | filter @severityLabel = 'ERROR' | display @sampleCount",
        on: events)
        == ["@sampleCount=1"])
    #expect(try run("sort @timestamp | limit 1 | pattern @message | display @pattern", on: events).count == 1)
    #expect(try run("pattern @message | limit 1", on: events).count == 1)
    #expect(try run("filter n > 100 | pattern @message", on: events).isEmpty)
  }

  @Test func patternsAreComparedWithAnEarlierTime() throws {
    let query = try Query(
      "pattern @message | diff previousDay | sort @pattern | display @pattern, @diffEventCount, @diffEventDescription")
    #expect(query.earlier?.window(86_400_000..<172_800_000) == 0..<86_400_000)
    #expect(try Query("pattern @message | diff").earlier?.window(100..<150) == 50..<100)
    var run = QueryRun(query, limit: 100, now: 0)
    for (text, times, isEarlier) in [
      ("a 1", 2, false), ("a 2", 1, true), ("b", 1, false), ("c", 3, true), ("d", 1, false), ("d", 1, true),
    ] {
      for _ in 0..<times {
        var text = text
        text.withUTF8 { bytes in
          _ = run.add(
            QueryEvent(
              time: 0, ingestion: 0, stream: "s", group: "g", pointer: { "p" }, text: UnsafeRawBufferPointer(bytes)),
            isEarlier: isEarlier)
        }
      }
    }
    #expect(
      run.finish().map { $0.map(\.value).joined(separator: ",") } == [
        "a <Number-1>,1,Increased", "b,1,New pattern", "c,-3,No longer present", "d,0,No change",
      ])
  }

  /// Whatever comes, every event is of one pattern, and there are no more than may be.
  @Test func patternsHaveBounds() {
    var random = SplitMix(seed: 3)
    var patterns = LogPatterns()
    for _ in 0..<20_000 {
      let words = (0..<(random.next() % 12)).map { _ in String(random.next() % 5000, radix: 36) }
      patterns.add(words.joined(separator: random.next() % 2 == 0 ? " " : ", "), isEarlier: false)
    }
    #expect(patterns.patterns.count <= LogPatterns.most && patterns.count == 20_000)
    #expect(patterns.patterns.reduce(0) { $0 + $1.count } <= 20_000)
  }
}
