// Archives of EventBridge and their replays, in a process, on a clock that the test moves.
import MartletCore
import MartletStore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct EventArchiveTests {
  static let bus = "arn:aws:events:us-east-1:111111111111:event-bus/default"
  /// The fixture's clock, in seconds since 1970.
  static let now = 1_800_000_000

  /// An archive of the default bus, and rules `r1` and `r2` with queues of these names.
  private func prepare(_ events: EventBridgeFixture, more: String = "") async throws {
    let made = try await events.done(
      "CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"\#(EventArchiveTests.bus)"\#(more)}"#)
    #expect(made["ArchiveArn"]?.string == "arn:aws:events:us-east-1:111111111111:archive/a")
    #expect(made["State"]?.string == "ENABLED")
    for name in ["r1", "r2"] {
      try await events.done("PutRule", #"{"Name":"\#(name)","EventPattern":"{\"source\":[\"s\"]}"}"#)
      try await events.done(
        "PutTargets",
        #"{"Rule":"\#(name)","Targets":[{"Id":"1","Arn":"arn:aws:sqs:us-east-1:111111111111:\#(name)"}]}"#)
    }
  }

  private func put(_ events: EventBridgeFixture, _ number: Int, at time: Int = EventArchiveTests.now) async throws {
    try await events.done(
      "PutEvents",
      #"{"Entries":[{"Source":"s","DetailType":"t","Detail":"{\"n\":\#(number)}","Time":\#(time)}]}"#)
  }

  private func replay(
    _ events: EventBridgeFixture, _ name: String = "p", from: Int = 0, to: Int = 2_000_000_000, more: String = ""
  ) async throws -> EventBridgeFixture.Answer {
    try await events.call(
      "StartReplay",
      #"{"ReplayName":"\#(name)","EventSourceArn":"arn:aws:events:us-east-1:111111111111:archive/a","EventStartTime":\#(from),"EventEndTime":\#(to),"Destination":{"Arn":"\#(EventArchiveTests.bus)"\#(more)}}"#
    )
  }

  private func state(_ events: EventBridgeFixture, _ name: String = "p") async throws -> JSONValue {
    try await events.done("DescribeReplay", #"{"ReplayName":"\#(name)"}"#)
  }

  @Test func anArchiveKeepsWhatItsPatternMatches() async throws {
    let events = try EventBridgeFixture()
    try await prepare(
      events, more: #","EventPattern":"{\"detail\":{\"n\":[{\"numeric\":[\">\",1]}]}}","Description":"d""#)
    for number in 0..<4 { try await put(events, number) }
    let archive = try await events.done("DescribeArchive", #"{"ArchiveName":"a"}"#)
    #expect(archive["EventCount"] == .integer(2) && (archive["SizeBytes"]?.integer ?? 0) > 300)
    #expect(archive["Description"]?.string == "d" && archive["RetentionDays"] == .integer(0))
    let listed = try await events.done("ListArchives", #"{"EventSourceArn":"\#(EventArchiveTests.bus)"}"#)
    #expect(listed["Archives"]?.array?.first?["EventCount"] == .integer(2))
    try await events.done("UpdateArchive", #"{"ArchiveName":"a","EventPattern":"{\"source\":[\"x\"]}"}"#)
    try await put(events, 9)
    #expect(try await events.done("DescribeArchive", #"{"ArchiveName":"a"}"#)["EventCount"] == .integer(2))
    try await events.done("DeleteArchive", #"{"ArchiveName":"a"}"#)
    let gone = try await events.call("DescribeArchive", #"{"ArchiveName":"a"}"#)
    #expect(gone.code == "ResourceNotFoundException" && gone.message == "Archive a does not exist.")
  }

  @Test func archivesForgetByTheClock() async throws {
    let events = try EventBridgeFixture()
    try await prepare(events, more: #","RetentionDays":2"#)
    func count() async throws -> Int {
      try await events.done("DescribeArchive", #"{"ArchiveName":"a"}"#)["EventCount"]?.integer ?? -1
    }
    try await put(events, 1)
    await events.advance(86400)
    try await put(events, 2)
    #expect(try await count() == 2)
    await events.advance(86400)
    #expect(try await count() == 1)
    // What was forgotten is off the disk as well.
    try await events.done("UpdateArchive", #"{"ArchiveName":"a","RetentionDays":0}"#)
    #expect(try await count() == 1)
    await events.advance(10 * 86400)
    #expect(try await count() == 1)
    try await events.done("UpdateArchive", #"{"ArchiveName":"a","RetentionDays":1}"#)
    #expect(try await count() == 0)
  }

  @Test func aReplayBringsEventsBack() async throws {
    let events = try EventBridgeFixture()
    try await prepare(events)
    try await events.serving {
      // The order is that of the events' times.
      for number in [3, 1, 2, 5, 4] { try await put(events, number, at: EventArchiveTests.now + number) }
      await events.advance(1)
      _ = events.arrivals()
      let started = try await replay(events, from: EventArchiveTests.now + 2, to: EventArchiveTests.now + 4)
      #expect(started.status == 200 && started.body["State"]?.string == "STARTING")
      while try await state(events)["State"]?.string != "COMPLETED" { await events.advance(0) }
      await events.advance(1)
    }
    let arrivals = events.arrivals()
    for name in ["r1", "r2"] {
      let found = try arrivals.filter { $0.target == name }.map { try JSONValue(parsing: $0.payload) }
      #expect(Set(found.compactMap { $0["detail"]?["n"]?.integer }) == [2, 3, 4])
      #expect(found.allSatisfy { $0["replay-name"]?.string == "p" })
    }
    #expect(arrivals.count == 6)
    let done = try await state(events)
    #expect(done["EventLastReplayedTime"]?.number == Double(EventArchiveTests.now + 4))
    #expect(done["ReplayEndTime"] != nil && done["Destination"]?["Arn"]?.string == EventArchiveTests.bus)
    // Replayed events are not kept again.
    #expect(try await events.done("DescribeArchive", #"{"ArchiveName":"a"}"#)["EventCount"] == .integer(5))
    #expect(try await events.call("CancelReplay", #"{"ReplayName":"p"}"#).code == "IllegalStatusException")
    #expect(try await replay(events).code == "ResourceAlreadyExistsException")
    #expect(try await events.done("ListReplays", #"{"State":"COMPLETED"}"#)["Replays"]?.array?.count == 1)
  }

  @Test func onlyTheWantedRulesGetAReplay() async throws {
    let events = try EventBridgeFixture()
    try await prepare(events)
    try await events.serving {
      for number in 0..<250 { try await put(events, number) }
      await events.advance(1)
      _ = events.arrivals()
      let answer = try await replay(
        events, more: #","FilterArns":["arn:aws:events:us-east-1:111111111111:rule/r2"]"#)
      #expect(answer.status == 200)
      while try await state(events)["State"]?.string != "COMPLETED" { await events.advance(0) }
      await events.advance(1)
    }
    let arrivals = events.arrivals()
    #expect(arrivals.count == 250 && arrivals.allSatisfy { $0.target == "r2" })
  }

  @Test func aReplayCanBeCancelledAndGoesOnAfterARestart() async throws {
    let first = try EventBridgeFixture(isKept: true)
    try await prepare(first)
    try await put(first, 1)
    // Nothing runs, so they stay as they are.
    for name in ["p", "q"] { #expect(try await replay(first, name).status == 200) }
    let cancelled = try await first.done("CancelReplay", #"{"ReplayName":"p"}"#)
    #expect(cancelled["State"]?.string == "CANCELLING")
    let second = try EventBridgeFixture(in: first.directory)
    try await second.serving {
      while try await state(second, "q")["State"]?.string != "COMPLETED" { await second.advance(0) }
      while try await state(second, "p")["State"]?.string != "CANCELLED" { await second.advance(0) }
      await second.advance(1)
    }
    let names = try second.arrivals().map { try JSONValue(parsing: $0.payload)["replay-name"]?.string }
    #expect(names.filter { $0 == "q" }.count == 2 && !names.contains("p"))
  }

  @Test func wrongReplaysAreRefused() async throws {
    let events = try EventBridgeFixture()
    try await prepare(events)
    try await events.done("CreateEventBus", #"{"Name":"b"}"#)
    #expect(
      try await replay(events, from: 5, to: 5).message
        == "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
    #expect(
      try await replay(events, more: #","FilterArns":["arn:aws:events:us-east-1:111111111111:rule/x"]"#).code
        == "ResourceNotFoundException")
    let other = try await events.call(
      "StartReplay",
      #"{"ReplayName":"p","EventSourceArn":"arn:aws:events:us-east-1:111111111111:archive/a","EventStartTime":1,"EventEndTime":2,"Destination":{"Arn":"arn:aws:events:us-east-1:111111111111:event-bus/b"}}"#
    )
    #expect(
      other.message == "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.")
    #expect(try await events.call("DescribeReplay", #"{"ReplayName":"p"}"#).message == "Replay p does not exist.")
    #expect(
      try await events.call("CreateArchive", #"{"ArchiveName":"a","EventSourceArn":"\#(EventArchiveTests.bus)"}"#).code
        == "ResourceAlreadyExistsException")
    #expect(
      try await events.call(
        "CreateArchive",
        #"{"ArchiveName":"c","EventSourceArn":"arn:aws:events:us-east-1:111111111111:event-bus/no"}"#
      ).message == "Event bus no does not exist.")
    #expect(
      try await events.call(
        "CreateArchive",
        #"{"ArchiveName":"c","EventSourceArn":"\#(EventArchiveTests.bus)","EventPattern":"{}"}"#
      ).code == "InvalidEventPatternException")
  }
}
