// Statistics: of few values exact, of many within a percent; and their names.
import Testing

@testable import MartletCloud

@Suite struct MetricValuesTests {
  private static func values(_ numbers: [Double]) -> MetricValues {
    var values = MetricValues()
    for number in numbers { values.add(number) }
    return values
  }

  @Test(
    arguments: [
      ("SampleCount", 10), ("Sum", 55), ("Average", 5.5), ("Minimum", 1), ("Maximum", 10), ("p50", 5), ("p90", 9),
      ("p99.9", 10), ("p0", 1), ("p100", 10), ("tm50", 3), ("TM(10%:90%)", 5.5), ("TM(2:4)", 3.5), ("TM(:3)", 2),
      ("TC(2:4)", 2), ("TS(2:4)", 7), ("tc80", 8), ("ts80", 36), ("IQM", 5.5), ("PR(:5)", 50), ("PR(5:)", 50),
      ("PR(2:6)", 40), ("wm80", 5.2), ("WM(20%:80%)", 5.3), ("WM(3:8)", 5.5),
    ] as [(String, Double)])
  func statisticsAreThoseOfTheValues(_ example: (name: String, value: Double)) throws {
    let statistic = try #require(MetricStatistic(example.name))
    let found = try #require(MetricValuesTests.values((1...10).map(Double.init)).statistic(statistic))
    #expect(abs(found - example.value) < 1e-9, "\(example.name): \(found)")
  }

  @Test(arguments: [
    "", "sum", "p", "p101", "p-1", "px", "TM", "TM()", "TM(:)", "TM(1%:2)", "TM(a:b)", "PR(1%:2%)", "pr50", "XX(1:2)",
    "TM(10%:90%", "p50.5.5",
  ])
  func otherNamesAreNone(_ name: String) { #expect(MetricStatistic(name) == nil) }

  @Test(arguments: 0..<50) func manyValuesAreKnownWithinAPercent(_ seed: UInt64) throws {
    var dice = SplitMix(seed: seed)
    let numbers = (0..<5000).map { _ in Double(dice.next() % 1_000_000) / 7 + 1 }
    var whole = MetricValues()
    for part in stride(from: 0, to: numbers.count, by: 500) {
      var values = MetricValuesTests.values(Array(numbers[part..<part + 500]))
      values = try #require(MetricValues(bytes: values.bytes))
      whole.merge(values)
    }
    let sorted = numbers.sorted()
    #expect(whole.count == 5000 && whole.minimum == sorted[0] && whole.maximum == sorted[4999])
    #expect(abs(whole.sum - numbers.reduce(0, +)) < 1)
    for percent in [1.0, 25, 50, 90, 99] {
      let exact = sorted[Int(percent / 100 * 5000) - 1]
      let found = try #require(whole.statistic(.percentile(percent)))
      #expect(abs(found - exact) <= exact * 0.13, "p\(percent): \(found) for \(exact)")
    }
    #expect(whole.values.count <= MetricValues.most)
  }

  @Test func setsHaveNoPercentiles() {
    var values = MetricValuesTests.values([1])
    values.add(count: 3, sum: 9, minimum: 2, maximum: 4)
    #expect(values.statistic(.average) == 2.5 && values.statistic(.maximum) == 4)
    #expect(values.statistic(.percentile(50)) == nil)
  }

  @Test func brokenBytesAreRefused() {
    #expect(MetricValues(bytes: []) == nil && MetricValues(bytes: [UInt8](repeating: 0, count: 41)) == nil)
    #expect(MetricValues(bytes: [UInt8](repeating: 0xff, count: 40)) == nil)
  }
}
