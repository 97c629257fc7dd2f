// Alarms as clients see them: they follow their metrics on the clock, tell topics and functions, and are kept.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct CloudWatchAlarmTests {
  private static let topic = "arn:aws:sns:us-east-1:111111111111:t"
  private static let function = "arn:aws:lambda:us-east-1:111111111111:function:f"

  /// What alarms told.
  private final class Told: Sendable {
    let messages = Mutex<[(subject: String, text: String)]>([])
    let events = Mutex<[String]>([])
  }

  private func fixture() throws -> (CloudWatchFixture, Told) {
    let (fixture, told) = (try CloudWatchFixture(), Told())
    fixture.door.offer(Lambda.InvokeEvent.self) { (input, _) async throws(AWSError) in
      told.events.withLock { $0.append(String(buffer: input.payload)) }
      return Empty()
    }
    fixture.door.offer(SNS.Publish.self) { (input, _) async throws(AWSError) in
      told.messages.withLock { $0.append((input.outgoing.subject ?? "", input.outgoing.message)) }
      throw AWSError("NotFound", status: 404, "Topic does not exist")
    }
    return (fixture, told)
  }

  private func put(_ fixture: CloudWatchFixture, _ name: String, _ more: String = "") async throws {
    let answer = try await fixture.call(
      "PutMetricAlarm",
      #"{"AlarmName":"\#(name)","Namespace":"Shop","MetricName":"Orders","Statistic":"Sum","Period":60,"EvaluationPeriods":1,"Threshold":5,"ComparisonOperator":"GreaterThanThreshold"\#(more)}"#
    )
    #expect(answer.status == 200, "\(answer.message)")
  }

  private func state(_ fixture: CloudWatchFixture, _ name: String) async throws -> String? {
    let answer = try await fixture.call(
      "DescribeAlarms", #"{"AlarmNames":["\#(name)"],"AlarmTypes":["MetricAlarm","CompositeAlarm"]}"#)
    let all = (answer.body["MetricAlarms"]?.array ?? []) + (answer.body["CompositeAlarms"]?.array ?? [])
    return all.first?["StateValue"]?.string
  }

  /// Runs the service's loops for the length of `body`.
  private func running(_ fixture: CloudWatchFixture, _ body: () async throws -> Void) async throws {
    async let loop: Void = fixture.service.run()
    try await body()
    await fixture.service.stop()
    await loop
  }

  @Test func anAlarmFollowsItsMetric() async throws {
    let (fixture, told) = try fixture()
    try await running(fixture) {
      try await put(
        fixture, "busy",
        #","AlarmActions":["\#(CloudWatchAlarmTests.function)","\#(CloudWatchAlarmTests.topic)"],"OKActions":["\#(CloudWatchAlarmTests.function)"],"TreatMissingData":"notBreaching""#
      )
      await fixture.advance(60)
      try await fixture.put("Orders", [6])
      await fixture.advance(120)
      #expect(try await state(fixture, "busy") == "ALARM")
      await fixture.advance(600)
      #expect(try await state(fixture, "busy") == "OK")
      let events = told.events.withLock { $0 }.compactMap { try? JSONValue(parsing: $0) }
      let states = events.compactMap { $0["alarmData"]?["state"]?["value"]?.string }
      #expect(states.filter { $0 == "ALARM" }.count == 1 && states.last == "OK", "\(states)")
      #expect(events.first?["source"]?.string == "aws.cloudwatch")
      let message = try #require(told.messages.withLock { $0.first })
      #expect(message.subject == #"ALARM: "busy" in US East (N. Virginia)"#)
      let json = try JSONValue(parsing: message.text)
      #expect(json["NewStateValue"]?.string == "ALARM" && json["Trigger"]?["MetricName"]?.string == "Orders")
      let history = try await fixture.call("DescribeAlarmHistory", #"{"AlarmName":"busy"}"#)
      let items = history.body["AlarmHistoryItems"]?.array ?? []
      #expect(items.contains { $0["HistorySummary"]?.string == "Alarm updated from OK to ALARM" }, "\(history.text)")
      #expect(
        items.contains { $0["HistorySummary"]?.string == "Failed to execute action \(CloudWatchAlarmTests.topic)" })
      #expect(
        items.contains {
          $0["HistorySummary"]?.string == "Successfully executed action \(CloudWatchAlarmTests.function)"
        })
    }
  }

  @Test func aQuietAlarmCostsNothing() async throws {
    let (fixture, _) = try fixture()
    try await running(fixture) {
      try await put(fixture, "quiet")
      await fixture.advance(120)
      let move = await fixture.alarms.move(patience: .seconds(10)) { $0 + .seconds(86_400 * 365) }
      #expect(move.rang < 10, "\(move.rang)")
      // It wakes when there is something to look at.
      try await fixture.put("Orders", [6])
      await fixture.advance(90)
      #expect(try await state(fixture, "quiet") == "ALARM")
    }
  }

  @Test func valuesOfAPeriodThatIsNotOverWakeIt() async throws {
    let (fixture, _) = try fixture()
    try await running(fixture) {
      try await put(fixture, "a")
      fixture.service.watch.schedule(ResourceKey(place: fixture.place, name: "a"))
      await fixture.advance(60)
      // It is looked at in a moment, and the period of this value ends a minute later.
      try await fixture.put("Orders", [6])
      await fixture.advance(90)
      #expect(try await state(fixture, "a") == "ALARM")
    }
  }

  @Test func statesCanBeSet() async throws {
    let (fixture, told) = try fixture()
    try await running(fixture) {
      try await put(fixture, "set", #","AlarmActions":["\#(CloudWatchAlarmTests.function)"]"#)
      let body = #"{"AlarmName":"set","StateValue":"ALARM","StateReason":"a test"}"#
      #expect(try await fixture.call("DisableAlarmActions", #"{"AlarmNames":["set","none"]}"#).status == 200)
      #expect(try await fixture.call("SetAlarmState", body).status == 200)
      #expect(try await state(fixture, "set") == "ALARM")
      await fixture.advance(1)
      #expect(told.events.withLock { $0 }.isEmpty)
      #expect(try await fixture.call("EnableAlarmActions", #"{"AlarmNames":["set"]}"#).status == 200)
      _ = try await fixture.call(
        "SetAlarmState", #"{"AlarmName":"set","StateValue":"OK","StateReason":"a test","StateReasonData":"{}"}"#)
      #expect(try await fixture.call("SetAlarmState", body).status == 200)
      await fixture.advance(1)
      #expect(told.events.withLock { $0.count } == 1)
      let wrong = try await fixture.call(
        "SetAlarmState", #"{"AlarmName":"set","StateValue":"OK","StateReason":"r","StateReasonData":"{"}"#)
      #expect(wrong.code == "InvalidFormatFault" && wrong.header("x-amzn-query-error") == "InvalidFormat;Sender")
      let missing = try await fixture.call(
        "SetAlarmState", #"{"AlarmName":"none","StateValue":"OK","StateReason":"r"}"#)
      #expect(missing.status == 404 && missing.code == "ResourceNotFound")
    }
  }

  @Test func compositeAlarmsLookAtOthers() async throws {
    let (fixture, _) = try fixture()
    try await running(fixture) {
      try await put(fixture, "a")
      try await put(fixture, "b")
      let made = try await fixture.call(
        "PutCompositeAlarm", #"{"AlarmName":"both","AlarmRule":"ALARM(a) AND NOT OK(b)"}"#)
      #expect(made.status == 200, "\(made.message)")
      await fixture.advance(1)
      #expect(try await state(fixture, "both") == "OK")
      _ = try await fixture.call("SetAlarmState", #"{"AlarmName":"a","StateValue":"ALARM","StateReason":"r"}"#)
      await fixture.advance(1)
      #expect(try await state(fixture, "both") == "ALARM")
      #expect(try await fixture.call("DeleteAlarms", #"{"AlarmNames":["a"]}"#).code == "ResourceConflict")
      #expect(try await fixture.call("DeleteAlarms", #"{"AlarmNames":["a","b","both"]}"#).status == 200)
      #expect(try await fixture.call("DeleteAlarms", #"{"AlarmNames":["a"]}"#).status == 404)
      let wrong = try await fixture.call("PutCompositeAlarm", #"{"AlarmName":"x","AlarmRule":"ALARM("}"#)
      #expect(wrong.status == 400)
    }
  }

  @Test func alarmsAreKeptWithTheirTags() async throws {
    let (fixture, _) = try fixture()
    try await put(
      fixture, "kept", #","Tags":[{"Key":"team","Value":"x"}],"Dimensions":[{"Name":"City","Value":"Bern"}]"#)
    let arn = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:kept"
    _ = try await fixture.call("TagResource", #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"k","Value":"v"}]}"#)
    _ = try await fixture.call("UntagResource", #"{"ResourceARN":"\#(arn)","TagKeys":["team"]}"#)
    let again = try CloudWatchFixture(in: fixture.directory)
    let tags = try await again.call("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#)
    #expect(tags.text == #"{"Tags":[{"Key":"k","Value":"v"}]}"#)
    let found = try await again.call(
      "DescribeAlarmsForMetric",
      #"{"Namespace":"Shop","MetricName":"Orders","Dimensions":[{"Name":"City","Value":"Bern"}]}"#)
    let alarm = try #require(found.body["MetricAlarms"]?.array?.first)
    #expect(alarm["AlarmArn"]?.string == arn && alarm["Threshold"]?.number == 5 && alarm["Period"]?.integer == 60)
  }

  @Test func expressionsAreWatched() async throws {
    let (fixture, _) = try fixture()
    try await running(fixture) {
      let answer = try await fixture.call(
        "PutMetricAlarm",
        #"{"AlarmName":"rate","EvaluationPeriods":1,"Threshold":0.5,"ComparisonOperator":"GreaterThanOrEqualToThreshold","Metrics":[{"Id":"rate","Expression":"bad / all"},{"Id":"bad","ReturnData":false,"MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Bad"},"Period":60,"Stat":"Sum"}},{"Id":"all","ReturnData":false,"MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"All"},"Period":60,"Stat":"Sum"}}]}"#
      )
      #expect(answer.status == 200, "\(answer.message)")
      try await fixture.put("Bad", [5])
      try await fixture.put("All", [10])
      await fixture.advance(90)
      #expect(try await state(fixture, "rate") == "ALARM")
    }
  }

  @Test func expressionsAndSearchesAreAnswered() async throws {
    let (fixture, _) = try fixture()
    try await fixture.put("Bad", [5], dimensions: ["City": "Bern"])
    try await fixture.put("Bad", [7], dimensions: ["City": "Basel"])
    let start = CloudWatchFixture.start
    func data(_ queries: String) async throws -> CloudWatchFixture.Answer {
      try await fixture.call(
        "GetMetricData", #"{"StartTime":\#(start),"EndTime":\#(start + 60),"MetricDataQueries":[\#(queries)]}"#)
    }
    let found = try await data(
      #"{"Id":"all","Expression":"SUM(s)"},{"Id":"s","Expression":"SEARCH('{Shop,City} MetricName=\"Bad\"', 'Sum', 60)"}"#
    )
    let results = found.body["MetricDataResults"]?.array ?? []
    #expect(results.map { $0["Label"]?.string } == ["all", "Basel Bad", "Bern Bad"], "\(found.text)")
    #expect(results.first?["Values"]?.array?.compactMap(\.number) == [12])
    for query in [
      #"{"Id":"a","Expression":"b"},{"Id":"b","Expression":"a"}"#, #"{"Id":"a","Expression":"1 +"}"#,
      #"{"Id":"a","Expression":"c + 1"}"#, #"{"Id":"A","Expression":"1"}"#,
    ] {
      let refused = try await data(query)
      #expect(refused.status == 400 && refused.code == "ValidationException", "\(query): \(refused.text)")
    }
  }

  @Test func dashboardsAreKept() async throws {
    let (fixture, _) = try fixture()
    let put = try await fixture.call("PutDashboard", #"{"DashboardName":"main","DashboardBody":"{\"widgets\":[]}"}"#)
    #expect(put.status == 200, "\(put.message)")
    let again = try CloudWatchFixture(in: fixture.directory)
    let found = try await again.call("GetDashboard", #"{"DashboardName":"main"}"#)
    #expect(found.body["DashboardBody"]?.string == #"{"widgets":[]}"#)
    #expect(found.body["DashboardArn"]?.string == "arn:aws:cloudwatch::111111111111:dashboard/main")
    let list = try await again.call("ListDashboards", #"{"DashboardNamePrefix":"m"}"#)
    #expect(list.body["DashboardEntries"]?.array?.first?["Size"]?.integer == 14)
    let wrong = try await again.call("PutDashboard", #"{"DashboardName":"main","DashboardBody":"["}"#, .cbor)
    #expect(wrong.code == "DashboardInvalidInputError")
    #expect(wrong.header("x-amzn-query-error") == "InvalidParameterInput;Sender")
    #expect(try await again.call("DeleteDashboards", #"{"DashboardNames":["main"]}"#).status == 200)
    #expect(try await again.call("GetDashboard", #"{"DashboardName":"main"}"#).status == 404)
  }
}
