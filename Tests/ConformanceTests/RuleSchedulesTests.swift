// Rules with a ScheduleExpression: when they fire, what targets get, and that no turn is lost or repeated by a restart.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct RuleSchedulesTests {
  /// 2027-01-15T08:00:00Z
  private func make(_ events: EventBridgeFixture, _ name: String, _ expression: String) async throws {
    try await events.done("PutRule", #"{"Name":"\#(name)","ScheduleExpression":"\#(expression)"}"#)
    let answer = try await events.done(
      "PutTargets", #"{"Rule":"\#(name)","Targets":[{"Id":"1","Arn":"arn:aws:sqs:us-east-1:111111111111:\#(name)"}]}"#)
    #expect(answer["FailedEntryCount"] == .integer(0))
  }

  private func times(_ arrivals: [EventBridgeFixture.Arrival]) throws -> [String] {
    try arrivals.map { arrival in
      "\(arrival.target) \(try JSONValue(parsing: arrival.payload)["time"]?.string?.dropFirst(11) ?? "")"
    }
  }

  @Test func aRateBeginsAfterAnInterval() async throws {
    let events = try EventBridgeFixture()
    try await events.serving {
      try await make(events, "r", "rate(5 minutes)")
      await events.advance(299)
      #expect(events.arrivals().isEmpty)
      await events.advance(601)
      let arrivals = events.arrivals()
      #expect(try times(arrivals) == ["r 08:05:00Z", "r 08:10:00Z", "r 08:15:00Z"])
      let event = try JSONValue(parsing: try #require(arrivals.first).payload)
      #expect(
        event.members?.map(\.name) == [
          "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
        ])
      #expect(event["detail-type"]?.string == "Scheduled Event" && event["source"]?.string == "aws.events")
      #expect(event["resources"]?.text == #"["arn:aws:events:us-east-1:111111111111:rule/r"]"#)
      #expect(event["detail"] == .object([]))
    }
  }

  @Test func cronRulesAndRatesComeInOrder() async throws {
    let events = try EventBridgeFixture()
    try await events.serving {
      try await make(events, "a", "cron(15,45 * * * ? *)")
      try await make(events, "b", "rate(30 minutes)")
      await events.advance(3600)
      #expect(try times(events.arrivals()) == ["a 08:15:00Z", "b 08:30:00Z", "a 08:45:00Z", "b 09:00:00Z"])
    }
  }

  @Test func changesCountFromNow() async throws {
    let events = try EventBridgeFixture()
    try await events.serving {
      try await make(events, "r", "rate(10 minutes)")
      await events.advance(300)
      try await events.done("DisableRule", #"{"Name":"r"}"#)
      await events.advance(3600)
      #expect(events.arrivals().isEmpty)
      try await events.done("EnableRule", #"{"Name":"r"}"#)
      await events.advance(599)
      #expect(events.arrivals().isEmpty)
      await events.advance(1)
      #expect(events.arrivals().count == 1)
      try await events.done("PutRule", #"{"Name":"r","ScheduleExpression":"rate(1 hour)"}"#)
      await events.advance(3599)
      #expect(events.arrivals().isEmpty)
      try await events.done("RemoveTargets", #"{"Rule":"r","Ids":["1"]}"#)
      try await events.done("DeleteRule", #"{"Name":"r"}"#)
      await events.advance(7200)
      #expect(events.arrivals().isEmpty && events.schedules.next(ResourceKey(place: events.place, name: "r")) == nil)
    }
  }

  @Test func aRestartLosesNoTurnAndRepeatsNone() async throws {
    let first = try EventBridgeFixture(isKept: true)
    try await first.serving {
      try await make(first, "r", "rate(10 minutes)")
      await first.advance(600)
      #expect(first.arrivals().count == 1)
    }
    // At once: nothing is due.
    let second = try EventBridgeFixture(in: first.directory, at: 600_000_000_000, isKept: true)
    try await second.serving { await second.advance(599) }
    #expect(second.arrivals().isEmpty)
    // After an hour and five minutes: the last turn that was missed, and then the next one.
    let third = try EventBridgeFixture(in: first.directory, at: 4_500_000_000_000)
    try await third.serving { await third.advance(300) }
    #expect(try times(third.arrivals()) == ["r 09:10:00Z", "r 09:20:00Z"])
  }
}
