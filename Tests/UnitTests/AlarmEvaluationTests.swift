// Alarms: the tables of AWS's documentation on missing values, rules of composite alarms, and embedded metrics.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct AlarmEvaluationTests {
  /// `0 - X`: a value that is none to alarm at, none, one that is.
  private static func values(_ text: String) -> [Double?] {
    text.split(separator: " ").map { $0 == "-" ? nil : $0 == "X" ? 10 : 0 }
  }

  private static func state(
    _ text: String, _ missing: AlarmEvaluation.Missing, periods: Int = 3, datapoints: Int = 3
  ) -> AlarmValue? {
    AlarmEvaluation(comparison: .above, threshold: 5, periods: periods, datapoints: datapoints, missing: missing)
      .state(values(text))
  }

  /// Three of three.
  @Test(
    arguments: [
      ("0 - X - X", AlarmValue.ok, AlarmValue.ok, AlarmValue.ok, AlarmValue.ok),
      ("0 - - - -", .ok, .ok, .ok, .ok),
      ("- - - - -", .insufficientData, nil, .alarm, .ok),
      ("0 X X - X", .alarm, .alarm, .alarm, .alarm),
      ("- - X - -", .alarm, nil, .alarm, .ok),
    ] as [(String, AlarmValue?, AlarmValue?, AlarmValue?, AlarmValue?)])
  func missingValuesAreTreated(
    _ row: (values: String, missing: AlarmValue?, ignore: AlarmValue?, breaching: AlarmValue?, not: AlarmValue?)
  ) {
    #expect(AlarmEvaluationTests.state(row.values, .missing) == row.missing, "\(row.values) missing")
    #expect(AlarmEvaluationTests.state(row.values, .ignore) == row.ignore, "\(row.values) ignore")
    #expect(AlarmEvaluationTests.state(row.values, .breaching) == row.breaching, "\(row.values) breaching")
    #expect(AlarmEvaluationTests.state(row.values, .notBreaching) == row.not, "\(row.values) notBreaching")
  }

  /// Two of three.
  @Test(arguments: [
    ("0 - X - X", AlarmValue.alarm), ("0 0 X 0 X", .alarm), ("0 - X - -", .ok), ("- - - 0 X", .ok),
    ("- - - X -", .alarm),
    ("0 0 0 0 X", .ok),
  ])
  func someOfManySuffice(_ row: (values: String, state: AlarmValue)) {
    #expect(AlarmEvaluationTests.state(row.values, .missing, datapoints: 2) == row.state, "\(row.values)")
  }

  @Test(arguments: AlarmEvaluation.Comparison.allCases) func comparisonsAreThoseOfTheirNames(
    _ comparison: AlarmEvaluation.Comparison
  ) {
    let isUp = comparison.rawValue.hasPrefix("Greater")
    #expect(comparison.isBreach(2, 1) == isUp && comparison.isBreach(1, 2) == !isUp)
    #expect(comparison.isBreach(1, 1) == (comparison.rawValue.firstRange(of: "OrEqual") != nil))
  }

  @Test func reasonsAreInWords() {
    let one = AlarmEvaluation(comparison: .atLeast, threshold: 1, periods: 1, datapoints: 1, missing: .missing)
    #expect(
      one.reason(.alarm, [(1_800_000_000, 2)], found: 1)
        == "Threshold Crossed: 1 datapoint [2.0 (15/01/27 08:00:00)] was greater than or equal to the threshold (1.0).")
    #expect(one.reason(.insufficientData, [], found: 0) == "Insufficient Data: 1 datapoint was unknown.")
  }

  private static let states: [String: AlarmValue] = ["a": .alarm, "b": .ok, "c d": .insufficientData]

  @Test(arguments: [
    ("ALARM(a)", true), ("ALARM(\"a\") AND OK(b)", true), ("NOT OK(b) OR FALSE", false),
    ("NOT (OK(b) AND ALARM(b))", true),
    ("INSUFFICIENT_DATA(\"c d\")", true), ("ALARM(arn:aws:cloudwatch:us-east-1:111111111111:alarm:a)", true),
    ("TRUE AND FALSE OR TRUE", true), ("OK(zzz)", false),
  ])
  func rulesHold(_ example: (text: String, isTrue: Bool)) throws {
    let rule = try #require(AlarmRule(example.text))
    #expect(rule.isTrue { AlarmEvaluationTests.states[$0] } == example.isTrue, "\(example.text)")
  }

  @Test(arguments: ["", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) AND", "a", "NOT", "(TRUE", "TRUE)", "ALARM(a) OK(b)"])
  func otherTextsAreNoRules(_ text: String) { #expect(AlarmRule(text) == nil) }

  @Test func embeddedMetricsAreFound() throws {
    let found = try #require(
      EmbeddedMetrics(
        #"{"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["City"],["City","Kind"],["Absent"]],"Metrics":[{"Name":"Time","Unit":"Milliseconds","StorageResolution":1},{"Name":"Sizes"},{"Name":"Gone"}]}]},"City":"Bern","Kind":"new","Time":12.5,"Sizes":[1,2,3],"requestId":"x"}"#
      ))
    #expect(found.data.map(\.datum.name) == ["Time", "Sizes", "Time", "Sizes"])
    #expect(found.data[0].space == "Shop" && found.data[0].datum.unit == "Milliseconds")
    #expect(found.data[0].datum.resolution == 1 && found.data[1].datum.resolution == 60)
    #expect(found.data[2].datum.dimensions == [.init("City", "Bern"), .init("Kind", "new")])
    #expect(found.data[0].datum.timestamp == Timestamp(milliseconds: 1_800_000_000_000))
    guard case .many(let sizes) = found.data[1].datum.values else {
      Issue.record("several values")
      return
    }
    #expect(sizes.map(\.value) == [1, 2, 3])
    #expect(EmbeddedMetrics("{}") == nil && EmbeddedMetrics("no json") == nil)
    #expect(
      EmbeddedMetrics(#"{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"a"}]},7]},"a":1}"#)?.data.isEmpty == true)
  }
}
