// From log events to metrics: metric filters, and the embedded metric format.
import MartletCore
import MartletWire
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct LogMetricsTests {
  private final class Taken: Sendable {
    let data = Mutex<[(space: String, datum: CloudWatch.PutMetricData.Datum)]>([])

    var numbers: [Double] {
      data.withLock { $0 }.flatMap { entry -> [Double] in
        switch entry.datum.values {
        case .one(let value): [value]
        case .many(let list): list.map(\.value)
        case .set: []
        }
      }
    }
  }

  private func fixture() async throws -> (LogsFixture, Taken) {
    let (logs, taken) = (try LogsFixture(), Taken())
    logs.service.door.offer(CloudWatch.PutMetricData.self) { (input, call) async throws(AWSError) -> Empty in
      #expect(call.caller == .service("logs.amazonaws.com"))
      taken.data.withLock { $0 += input.data.map { (input.space, $0) } }
      return Empty()
    }
    try await logs.ask("CreateLogGroup", #"{"logGroupName":"g"}"#)
    try await logs.ask("CreateLogStream", #"{"logGroupName":"g","logStreamName":"s"}"#)
    return (logs, taken)
  }

  private func write(_ logs: LogsFixture, _ texts: [String]) async throws {
    let events = texts.map { JSONValue.members(("timestamp", .integer(LogsFixture.start)), ("message", .string($0))) }
    let body = JSONValue.members(
      ("logGroupName", .string("g")), ("logStreamName", .string("s")), ("logEvents", .array(events)))
    try await logs.ask("PutLogEvents", body.text)
    // The next moment waits for what is under way.
    _ = await logs.alarms.move(patience: .seconds(10)) { $0 + .milliseconds(1) }
  }

  @Test func filtersCount() async throws {
    let (logs, taken) = try await fixture()
    try await logs.ask(
      "PutMetricFilter",
      #"{"logGroupName":"g","filterName":"f","filterPattern":"ERROR","metricTransformations":[{"metricName":"Errors","metricNamespace":"Shop","metricValue":"1","defaultValue":0,"unit":"Count"}]}"#
    )
    try await write(logs, ["ERROR one", "fine", "ERROR two"])
    #expect(taken.numbers == [1, 1])
    let first = try #require(taken.data.withLock { $0.first })
    #expect(first.space == "Shop" && first.datum.name == "Errors" && first.datum.unit == "Count")
    #expect(first.datum.timestamp == Timestamp(milliseconds: LogsFixture.start))
    // Of a minute without matches there is the usual value, once.
    try await write(logs, ["fine"])
    try await write(logs, ["fine"])
    #expect(taken.numbers == [1, 1, 0])
    try await logs.ask("DeleteMetricFilter", #"{"logGroupName":"g","filterName":"f"}"#)
    try await write(logs, ["ERROR three"])
    #expect(taken.numbers == [1, 1, 0])
  }

  @Test func filtersTakeValuesAndDimensions() async throws {
    let (logs, taken) = try await fixture()
    try await logs.ask(
      "PutMetricFilter",
      #"{"logGroupName":"g","filterName":"j","filterPattern":"{ $.time > 5 }","metricTransformations":[{"metricName":"Time","metricNamespace":"Shop","metricValue":"$.time","dimensions":{"City":"$.where.city"}}]}"#
    )
    try await logs.ask(
      "PutMetricFilter",
      #"{"logGroupName":"g","filterName":"w","filterPattern":"[ip, code=5*, bytes]","metricTransformations":[{"metricName":"Bytes","metricNamespace":"Shop","metricValue":"$bytes"}]}"#
    )
    try await write(
      logs,
      [
        #"{"time":12.5,"where":{"city":"Bern"}}"#, #"{"time":3,"where":{"city":"Bern"}}"#, #"{"time":9}"#,
        "1.2.3.4 500 77",
      ])
    #expect(taken.numbers.sorted() == [12.5, 77])
    let time = taken.data.withLock { $0 }.first { $0.datum.name == "Time" }
    #expect(time?.datum.dimensions == [.init("City", "Bern")])
  }

  @Test func embeddedMetricsAreTaken() async throws {
    let (logs, taken) = try await fixture()
    let line =
      #"{"_aws":{"Timestamp":\#(LogsFixture.start),"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["City"]],"Metrics":[{"Name":"Sold","Unit":"Count"}]}]},"City":"Bern","Sold":3}"#
    let old =
      #"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Shop","Metrics":[{"Name":"Sold"}]}]},"Sold":4}"#
    try await write(logs, ["before", line, "{\"_aws\":", old])
    #expect(taken.numbers == [3])
    #expect(taken.data.withLock { $0.first?.datum.dimensions } == [.init("City", "Bern")])
  }
}
