// Metric math and searches: what expressions come to, what is refused, and that no text does harm.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct MetricMathTests {
  private static func line(_ id: String, _ values: [Double?]) -> MetricLine {
    var line = MetricLine(id: id, label: id, period: 60, values: [:])
    for (index, value) in values.enumerated() { line.values[Int64(index) * 60] = value }
    return line
  }

  private static let m1 = line("m1", [1, 2, nil, 4])
  private static let m2 = line("m2", [10, 0, 30, 40])

  private func run(_ text: String) throws -> MetricOutcome {
    let run = MetricMathRun(
      known: ["m1": .line(MetricMathTests.m1), "m2": .line(MetricMathTests.m2)],
      metrics: [MetricMathTests.m1, MetricMathTests.m2], span: MetricSpan(start: 0, end: 240, period: 60))
    return try run.run(try MetricMath(text))
  }

  @Test(
    arguments: [
      ("m1 + 1", [2, 3, nil, 5]), ("-m1", [-1, -2, nil, -4]), ("m2 / m1", [10, 0, nil, 10]),
      ("m1 / m2", [0.1, nil, nil, 0.1]),
      ("2 * m1 ^ 2", [2, 8, nil, 32]), ("(m1 + m2) * 2", [22, 4, nil, 88]), ("m1 > 1", [0, 1, nil, 1]),
      ("m1 > 1 AND m2 == 40", [0, 0, nil, 1]), ("m1 == 1 || m1 == 4", [1, 0, nil, 1]),
      ("SUM([m1, m2])", [11, 2, 30, 44]),
      ("SUM(METRICS())", [11, 2, 30, 44]), ("AVG(METRICS('m2'))", [10, 0, 30, 40]), ("MAX([m1,m2])", [10, 2, 30, 40]),
      ("FILL(m1, 0)", [1, 2, 0, 4]), ("FILL(m1, REPEAT)", [1, 2, 2, 4]), ("FILL(m1, LINEAR)", [1, 2, 3, 4]),
      ("FILL(m1, m2)", [1, 2, 30, 4]), ("IF(m2 > 5, m2, 0)", [10, 0, 30, 40]), ("IF(m2 > 5, 1)", [1, nil, 1, 1]),
      ("RATE(m2)", [nil, -10.0 / 60, 0.5, 10.0 / 60]), ("DIFF(m2)", [nil, -10, 30, 10]),
      ("RUNNING_SUM(m2)", [10, 10, 40, 80]),
      ("m2 - SUM(m1)", [3, -7, 23, 33]), ("m2 / PERIOD(m2)", [10.0 / 60, 0, 0.5, 40.0 / 60]),
      ("ABS(0 - m1)", [1, 2, nil, 4]),
      ("CEIL(m1 / 3)", [1, 1, nil, 2]), ("TIME_SERIES(7)", [7, 7, 7, 7]),
      ("FIRST(SORT([m1, m2], SUM, DESC))", [10, 0, 30, 40]),
      ("MINUTE(m2)", [0, 1, 2, 3]), ("SLICE([m1, m2], 1)", [10, 0, 30, 40]),
    ] as [(String, [Double?])])
  func expressionsHaveTheirValues(_ example: (text: String, values: [Double?])) throws {
    guard case .line(let line) = try run(example.text) else {
      Issue.record("\(example.text) is no series")
      return
    }
    for (index, value) in example.values.enumerated() {
      let found = line.values[Int64(index) * 60]
      #expect((found == nil) == (value == nil), "\(example.text) at \(index): \(String(describing: found))")
      if let found, let value { #expect(abs(found - value) < 1e-9, "\(example.text) at \(index): \(found)") }
    }
  }

  @Test(
    arguments: [
      ("SUM(m1)", 7), ("AVG(m1)", 7.0 / 3), ("MIN(m2)", 0), ("METRIC_COUNT(METRICS())", 2), ("DATAPOINT_COUNT(m1)", 3),
      ("1 + 2 * 3", 7), ("2 ^ 3 ^ 2", 512), ("-2 ^ 2", -4), ("MAX(1, 5, 3)", 5),
    ] as [(String, Double)])
  func someAreNumbers(_ example: (text: String, value: Double)) throws {
    let number = try #require(try run(example.text).number)
    #expect(abs(number - example.value) < 1e-9, "\(example.text): \(number)")
  }

  @Test(arguments: ["", "m1 +", "(m1", "m1)", "[m1", "SUM(m1", "1.2.3", "m1 m2", "'a", "#", "m1 + + ", "SUM(,)"])
  func flawsAreFound(_ text: String) { #expect(throws: MetricMath.Flaw.self) { try MetricMath(text) } }

  @Test(arguments: ["m3", "NO_SUCH(m1)", "ABS(m1, m2)", "m1 + 'a'", "FILL(m1)", "SORT(m1, MEDIAN)"])
  func errorsAreTold(_ text: String) {
    #expect(throws: MetricMathError.self) { try run(text) }
  }

  @Test func deepNestsAreRefused() {
    for text in [
      String(repeating: "(", count: 10_000), String(repeating: "-", count: 10_000),
      String(repeating: "1^", count: 10_000), String(repeating: "ABS(", count: 10_000),
    ] { #expect(throws: MetricMath.Flaw.self) { try MetricMath(text) } }
  }

  @Test(arguments: 0..<300) func noTextDoesHarm(_ seed: UInt64) {
    var dice = SplitMix(seed: seed)
    let whole = Array(
      "IF(m1 > 5 AND m2 <= 3.5e2, FILL(m1, REPEAT), SUM([m1, -m2])) / SEARCH('{A,B} x', \"Sum\", 300)".utf8)
    let text = String(decoding: dice.mutated(whole), as: UTF8.self)
    if let expression = try? MetricMath(text) {
      _ = try? MetricMathRun(
        known: ["m1": .line(MetricMathTests.m1), "m2": .line(MetricMathTests.m2)], metrics: [],
        span: MetricSpan(start: 0, end: 240, period: 60)
      ).run(expression)
    }
    _ = try? MetricSearch(text)
    _ = AlarmRule(text)
  }

  // MARK: - Searches

  private static let place = Account("111111111111").flatMap { account in
    Region("us-east-1").map { Place(account: account, region: $0) }
  }

  @Test(arguments: [
    (#"{AWS/Lambda,FunctionName} MetricName="Errors""#, true), (#"{AWS/Lambda,FunctionName}"#, true),
    (#"{AWS/Lambda}"#, false), (#"{AWS/Lambda,FunctionName,Resource}"#, false), (#"MetricName=Err"#, true),
    (#"MetricName="Err""#, false), (#"orders NOT beta"#, true), (#"orders NOT eu"#, false),
    (#"nothing OR errors"#, true),
    (#"FunctionName=("orders-eu" OR "x")"#, true), (#"(nothing OR errors) AND orders"#, true),
    (#"Namespace="AWS/Lambda" FunctionName=us"#, false),
  ])
  func searchesFind(_ example: (text: String, isFound: Bool)) throws {
    let metric = MetricName(
      place: try #require(MetricMathTests.place), space: "AWS/Lambda", name: "Errors",
      dimensions: [.init("FunctionName", "orders-eu")])
    #expect(try MetricSearch(example.text).wants(metric) == example.isFound, "\(example.text)")
  }

  @Test(arguments: ["{", "{}", "(a", "a)", "NOT", "a="]) func brokenSearchesAreRefused(_ text: String) {
    #expect(throws: MetricMathError.self) { try MetricSearch(text) }
  }
}
