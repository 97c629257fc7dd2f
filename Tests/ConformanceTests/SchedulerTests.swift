// Schedules: what they are told and say, when they fire, what targets get, what becomes of failures, and restarts.
import MartletCore
import MartletWire
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct SchedulerTests {
  private typealias Fixture = SchedulerFixture

  private func busy() -> AWSError { AWSError("TooManyRequestsException", status: 429, "Rate Exceeded.") }
  private func gone() -> AWSError { AWSError("ResourceNotFoundException", status: 404, "Function not found: f") }

  // MARK: - What is kept

  @Test func aScheduleIsMadeReadChangedAndDeleted() async throws {
    let s = try Fixture()
    let made = try await s.create(
      "nightly", "cron(30 2 * * ? *)",
      ["ScheduleExpressionTimezone": .string("Europe/Berlin"), "Description": .string("d")])
    let arn = "arn:aws:scheduler:us-east-1:111111111111:schedule/default/nightly"
    #expect(made.body == .members(("ScheduleArn", .string(arn))))
    let shown = try await s.call(.GET, "/schedules/nightly").body
    #expect(shown["Arn"]?.string == arn && shown["GroupName"]?.string == "default")
    #expect(shown["ScheduleExpressionTimezone"]?.string == "Europe/Berlin" && shown["State"]?.string == "ENABLED")
    #expect(shown["ActionAfterCompletion"]?.string == "NONE" && shown["Description"]?.string == "d")
    #expect(shown["FlexibleTimeWindow"]?.text == #"{"Mode":"OFF"}"#)
    #expect(
      shown["Target"]?["RetryPolicy"]?.text == #"{"MaximumEventAgeInSeconds":86400,"MaximumRetryAttempts":185}"#)
    #expect(shown["CreationDate"]?.number == 1_800_000_000)
    await s.advance(60)
    let changed = try await s.call(
      .PUT, "/schedules/nightly", Fixture.body("rate(1 hours)", ["State": .string("DISABLED")]))
    #expect(changed.status == 200)
    let after = try await s.call(.GET, "/schedules/nightly?groupName=default").body
    #expect(after["State"]?.string == "DISABLED" && after["Description"] == nil, "what is left out has its default")
    #expect(after["LastModificationDate"]?.number == 1_800_000_060 && after["CreationDate"]?.number == 1_800_000_000)
    #expect(try await s.call(.DELETE, "/schedules/nightly").status == 200)
    let missing = try await s.call(.GET, "/schedules/nightly")
    #expect(missing.status == 404 && missing.code == "ResourceNotFoundException")
    #expect(missing.message == "Schedule nightly does not exist.")
    #expect(try await s.call(.PUT, "/schedules/nightly", Fixture.body("rate(1 hours)")).status == 404)
  }

  @Test func requestsThatComeTwiceAreOne() async throws {
    let s = try Fixture()
    let token: [String: JSONValue] = ["ClientToken": .string("t")]
    try await s.create("s", "rate(1 day)", token)
    try await s.create("s", "rate(1 day)", token)
    for body in [Fixture.body("rate(2 days)", token), Fixture.body("rate(1 day)", ["ClientToken": .string("u")])] {
      let again = try await s.call(.POST, "/schedules/s", body)
      #expect(again.status == 409 && again.code == "ConflictException")
      #expect(again.message == "Schedule s already exists.")
    }
    #expect(try await s.call(.DELETE, "/schedules/s?clientToken=x").status == 200)
    #expect(try await s.call(.DELETE, "/schedules/s?clientToken=x").status == 200)
    #expect(try await s.call(.DELETE, "/schedules/s?clientToken=y").status == 404)
  }

  @Test func whatCannotBeIsRefused() async throws {
    let s = try Fixture()
    let now = 1_800_000_000
    func refused(_ body: String, _ message: String) async throws {
      let answer = try await s.call(.POST, "/schedules/s", body)
      #expect(answer.status == 400 && answer.code == "ValidationException" && answer.message == message, "\(answer)")
    }
    try await refused(Fixture.body("cron(0 1 * * * *)"), "Invalid Schedule Expression cron(0 1 * * * *).")
    try await refused(
      Fixture.body("rate(1 day)", ["ScheduleExpressionTimezone": .string("Mars/Olympus")]),
      "The time zone Mars/Olympus is not valid.")
    try await refused(
      Fixture.body("rate(1 day)", ["StartDate": .integer(Int64(now - 301))]),
      "The StartDate you specify cannot be earlier than 5 minutes ago.")
    try await refused(
      Fixture.body("rate(1 day)", ["StartDate": .integer(Int64(now + 60)), "EndDate": .integer(Int64(now + 60))]),
      "The EndDate you specify must come after the StartDate.")
    try await refused(
      Fixture.body("rate(1 day)", ["EndDate": .integer(Int64(now - 60))]),
      "The EndDate you specify cannot be in the past.")
    try await refused(
      Fixture.body("rate(1 day)", ["FlexibleTimeWindow": .members(("Mode", .string("FLEXIBLE")))]),
      "MaximumWindowInMinutes is required when the FlexibleTimeWindow mode is FLEXIBLE.")
    for arn in [
      "f", "arn:aws:scheduler:::aws-sdk:lambda", "arn:aws:lambda:us-east-1:1:function:f",
      "arn:aws:lambda:us-east-1:111111111111:layer:l",
    ] {
      try await refused(Fixture.body("rate(1 day)", target: arn), "Provided Arn is not in correct format.")
    }
    try await refused(
      Fixture.body("rate(1 day)", targetMembers: ["Input": .string("{")]),
      "The Input of this target must be well-formed JSON.")
    try await refused(
      Fixture.body("rate(1 day)", target: "arn:aws:sqs:us-east-1:111111111111:q.fifo"),
      "SqsParameters.MessageGroupId is required for FIFO queues.")
    for arn in ["arn:aws:ecs:us-east-1:111111111111:cluster/c", "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"] {
      let answer = try await s.call(.POST, "/schedules/s", Fixture.body("rate(1 day)", target: arn))
      #expect(answer.status == 501 && answer.message.contains(arn))
    }
    let nowhere = try await s.call(.POST, "/schedules/s", Fixture.body("rate(1 day)", ["GroupName": .string("g")]))
    #expect(nowhere.status == 404 && nowhere.message == "Schedule group g does not exist.")
    #expect(try await s.call(.GET, "/schedules").body["Schedules"] == .array([]))
    // A start that is five minutes old is not too early.
    try await s.create("s", "cron(0 0 * * ? *)", ["StartDate": .integer(Int64(now - 300))])
  }

  @Test func groupsHaveTagsAndSchedules() async throws {
    let s = try Fixture()
    let arn = "arn:aws:scheduler:us-east-1:111111111111:schedule-group/g"
    let made = try await s.call(.POST, "/schedule-groups/g", #"{"Tags":[{"Key":"a","Value":"1"}]}"#)
    #expect(made.body["ScheduleGroupArn"]?.string == arn)
    #expect(try await s.call(.POST, "/schedule-groups/g", "{}").message == "Schedule group g already exists.")
    #expect(
      try await s.call(
        .POST, "/tags/\(Percent.encode(arn))", #"{"Tags":[{"Key":"b","Value":"2"},{"Key":"a","Value":"3"}]}"#
      ).status
        == 200)
    #expect(
      try await s.call(.GET, "/tags/\(Percent.encode(arn))").body["Tags"]?.text
        == #"[{"Key":"b","Value":"2"},{"Key":"a","Value":"3"}]"#
    )
    #expect(try await s.call(.DELETE, "/tags/\(Percent.encode(arn))?TagKeys=a&TagKeys=zz").status == 200)
    #expect(try await s.call(.GET, "/tags/\(Percent.encode(arn))").body["Tags"]?.text == #"[{"Key":"b","Value":"2"}]"#)
    try await s.create("one", "rate(1 day)", ["GroupName": .string("g")])
    try await s.create("one", "rate(1 day)")
    try await s.create("other", "rate(1 day)", ["State": .string("DISABLED")])
    func names(_ query: String) async throws -> [String] {
      let list = try await s.call(.GET, "/schedules\(query)").body["Schedules"]?.array ?? []
      return list.map { "\($0["GroupName"]?.string ?? "")/\($0["Name"]?.string ?? "")" }
    }
    #expect(try await names("") == ["default/one", "default/other", "g/one"])
    #expect(try await names("?ScheduleGroup=g") == ["g/one"])
    #expect(try await names("?NamePrefix=ot") == ["default/other"])
    #expect(try await names("?State=DISABLED") == ["default/other"])
    let first = try await s.call(.GET, "/schedules?MaxResults=2").body
    let token = try #require(first["NextToken"]?.string)
    #expect(try await names("?MaxResults=2&NextToken=\(Percent.encode(token))") == ["g/one"])
    #expect(try await s.call(.GET, "/schedules?ScheduleGroup=zz").status == 404)
    let groups = try await s.call(.GET, "/schedule-groups").body["ScheduleGroups"]?.array ?? []
    #expect(groups.map { $0["Name"]?.string } == ["default", "g"])
    #expect(try await s.call(.DELETE, "/schedule-groups/default").status == 400)
    #expect(try await s.call(.DELETE, "/schedule-groups/g").status == 200)
    #expect(try await names("") == ["default/one", "default/other"])
    #expect(try await s.call(.GET, "/schedule-groups/g").code == "ResourceNotFoundException")
    #expect(try await s.call(.GET, "/schedule-groups/default").body["State"]?.string == "ACTIVE")
    #expect(try await s.call(.GET, "/tags/\(Percent.encode(arn))").status == 404)
  }

  // MARK: - Firing

  @Test func ratesBeginAtOnceAndGoOn() async throws {
    let s = try Fixture()
    try await s.create("s", "rate(5 minutes)", ["EndDate": .integer(1_800_000_000 + 900)])
    try await s.running { await s.advance(3600) }
    #expect(
      s.deliveries.map(\.at) == [
        "2027-01-15T08:00:00Z", "2027-01-15T08:05:00Z", "2027-01-15T08:10:00Z", "2027-01-15T08:15:00Z",
      ])
    let event = try #require(s.deliveries.first).json
    #expect(s.deliveries[0].target == "lambda \(Fixture.function)")
    #expect(event["detail-type"]?.string == "Scheduled Event" && event["source"]?.string == "aws.scheduler")
    #expect(event["time"]?.string == "2027-01-15T08:00:00Z" && event["detail"]?.string == "{}")
    #expect(event["resources"]?.text == #"["arn:aws:scheduler:us-east-1:111111111111:schedule/default/s"]"#)
    #expect(RequestID(event["id"]?.string ?? "") != nil)
  }

  @Test func severalFireInTheirOrder() async throws {
    let s = try Fixture()
    try await s.create("c", "at(2027-01-15T09:00:00)", targetMembers: ["Input": .string("3")])
    try await s.create("a", "cron(30 8 * * ? *)", targetMembers: ["Input": .string("1")])
    try await s.create(
      "b", "at(2027-01-15T09:45:00)", ["ScheduleExpressionTimezone": .string("Europe/Berlin")],
      targetMembers: ["Input": .string("2")])
    try await s.create(
      "d", "cron(30 8 * * ? *)", ["State": .string("DISABLED")], targetMembers: ["Input": .string("4")])
    try await s.running { await s.advance(7200) }
    #expect(s.deliveries.map(\.body) == ["1", "2", "3"])
    #expect(s.deliveries.map(\.at) == ["2027-01-15T08:30:00Z", "2027-01-15T08:45:00Z", "2027-01-15T09:00:00Z"])
  }

  @Test func aStartDateIsWaitedFor() async throws {
    let s = try Fixture()
    try await s.create("rate", "rate(1 hour)", ["StartDate": .integer(1_800_000_000 + 600)])
    try await s.create("cron", "cron(0 * * * ? *)", ["StartDate": .integer(1_800_000_000 + 7200)])
    try await s.running { await s.advance(7200) }
    #expect(s.deliveries.map(\.at) == ["2027-01-15T08:10:00Z", "2027-01-15T09:10:00Z", "2027-01-15T10:00:00Z"])
  }

  @Test func aFlexibleWindowIsKept() async throws {
    let s = try Fixture()
    let window = JSONValue.members(("Mode", .string("FLEXIBLE")), ("MaximumWindowInMinutes", .integer(15)))
    for i in 0..<20 { try await s.create("s\(i)", "at(2027-01-15T09:00:00)", ["FlexibleTimeWindow": window]) }
    try await s.running { await s.advance(7200) }
    let times = s.deliveries.map(\.at)
    #expect(times.count == 20 && times.allSatisfy { $0 >= "2027-01-15T09:00:00Z" && $0 < "2027-01-15T09:15:00Z" })
    #expect(Set(times).count > 5, "they are spread")
    #expect(s.deliveries.allSatisfy { $0.json["time"]?.string == "2027-01-15T09:00:00Z" }, "what was scheduled is said")
  }

  @Test func targetsOfEachKindGetTheirs() async throws {
    let s = try Fixture()
    let at = "at(2027-01-15T08:30:00)"
    let input =
      #"{"arn":"<aws.scheduler.schedule-arn>","at":"<aws.scheduler.scheduled-time>","id":"<aws.scheduler.execution-id>","n":"<aws.scheduler.attempt-number>"}"#
    try await s.create("a", at, target: Fixture.function + ":live", targetMembers: ["Input": .string(input)])
    try await s.create(
      "b", at, target: "arn:aws:sqs:us-east-1:111111111111:q.fifo",
      targetMembers: ["Input": .string("hello"), "SqsParameters": .members(("MessageGroupId", .string("g")))])
    try await s.create(
      "c", at, target: "arn:aws:sns:us-east-1:111111111111:t", targetMembers: ["Input": .string("<&>")])
    try await s.create(
      "d", at, target: "arn:aws:events:us-east-1:111111111111:event-bus/default",
      targetMembers: [
        "Input": .string(#"{"x":1}"#),
        "EventBridgeParameters": .members(("DetailType", .string("T")), ("Source", .string("my.app"))),
      ])
    try await s.create(
      "e", at, target: "arn:aws:scheduler:::aws-sdk:lambda:invoke",
      targetMembers: [
        "Input": .string(#"{"FunctionName":"f","Qualifier":"2","InvocationType":"Event","Payload":"{\"k\":1}"}"#)
      ])
    try await s.create(
      "f", at, target: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
      targetMembers: [
        "Input": .string(#"{"QueueUrl":"http://localhost/111111111111/u","MessageBody":"m","MessageGroupId":"g"}"#)
      ])
    try await s.running { await s.advance(3600) }
    let got = Dictionary(s.deliveries.map { ($0.target, $0) }, uniquingKeysWith: { $1 })
    #expect(got.count == 6)
    let first = try #require(got["lambda \(Fixture.function):live"]).json
    #expect(first["arn"]?.string == "arn:aws:scheduler:us-east-1:111111111111:schedule/default/a")
    #expect(first["at"]?.string == "2027-01-15T08:30:00Z" && first["n"]?.string == "1")
    #expect(first["id"]?.string?.utf8.count == 16)
    #expect(got["sqs q.fifo"]?.body == "hello" && got["sqs q.fifo"]?.group == "g")
    #expect(got["sns arn:aws:sns:us-east-1:111111111111:t"]?.body == "<&>")
    #expect(got["events arn:aws:events:us-east-1:111111111111:event-bus/default my.app T"]?.body == #"{"x":1}"#)
    #expect(got["lambda f:2"]?.body == #"{"k":1}"#)
    #expect(got["sqs u"]?.body == "m" && got["sqs u"]?.group == "g")
  }

  @Test func aScheduleThatIsOverIsDeletedIfItShall() async throws {
    let s = try Fixture()
    let delete: [String: JSONValue] = ["ActionAfterCompletion": .string("DELETE")]
    try await s.create("once", "at(2027-01-15T08:30:00)", delete)
    try await s.create("kept", "at(2027-01-15T08:30:00)")
    try await s.create("twice", "rate(1 hour)", delete.merging(["EndDate": .integer(1_800_000_000 + 3600)]) { $1 })
    s.refuse([busy()])
    try await s.running { () throws in
      await s.advance(0)
      #expect(try await s.call(.GET, "/schedules/twice").status == 200, "it is tried again first")
      await s.advance(1800)
      #expect(try await s.call(.GET, "/schedules/once").status == 404)
      #expect(try await s.call(.GET, "/schedules/kept").status == 200)
      await s.advance(7200)
      #expect(try await s.call(.GET, "/schedules/twice").status == 404)
    }
    #expect(s.deliveries.count { $0.target.hasPrefix("lambda") } == 4)
  }

  @Test func whatLiesBehindDoesNotHappen() async throws {
    let s = try Fixture()
    try await s.create("past", "at(2027-01-15T07:30:00)")
    try await s.create("justnow", "at(2027-01-15T07:59:30)")
    try await s.running { await s.advance(86_400) }
    #expect(s.deliveries.map { $0.json["resources"]?.array?[0].string?.suffix(7) } == ["justnow"])
  }

  // MARK: - Failures

  @Test func failuresAreTriedAgainAndThenBuried() async throws {
    let s = try Fixture()
    let queue = "arn:aws:sqs:us-east-1:111111111111:dead"
    try await s.create(
      "s", "at(2027-01-15T08:30:00)",
      targetMembers: [
        "DeadLetterConfig": .members(("Arn", .string(queue))),
        "Input": .string(
          #"{"n":<aws.scheduler.attempt-number>}"#.replacing(
            "<aws.scheduler.attempt-number>", with: "\"<aws.scheduler.attempt-number>\"")),
        "RetryPolicy": .members(("MaximumRetryAttempts", .integer(3))),
      ])
    s.refuse([busy(), busy(), busy(), busy()])
    try await s.running { await s.advance(7200) }
    #expect(
      s.deliveries.map { "\($0.at) \($0.target) \($0.body)" } == [
        #"2027-01-15T08:30:00Z refused {"n":"1"}"#, #"2027-01-15T08:30:01Z refused {"n":"2"}"#,
        #"2027-01-15T08:30:03Z refused {"n":"3"}"#, #"2027-01-15T08:30:07Z refused {"n":"4"}"#,
        #"2027-01-15T08:30:07Z dead dead {"n":"4"}"#,
      ])
    var letter = try #require(s.deliveries.last).attributes
    #expect(letter.removeValue(forKey: "EXECUTION_ID")?.utf8.count == 16)
    #expect(
      letter == [
        "ERROR_CODE": "TooManyRequestsException", "ERROR_MESSAGE": "Rate Exceeded.", "RETRY_ATTEMPTS": "3",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "IS_PAYLOAD_TRUNCATED": "false",
        "SCHEDULED_TIME": "2027-01-15T08:30:00Z", "TARGET_ARN": Fixture.function,
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:111111111111:schedule/default/s",
      ])
  }

  @Test func ageEndsRetriesToo() async throws {
    let s = try Fixture()
    try await s.create(
      "s", "at(2027-01-15T08:30:00)",
      targetMembers: [
        "DeadLetterConfig": .members(("Arn", .string("arn:aws:sqs:us-east-1:111111111111:dead"))),
        "RetryPolicy": .members(("MaximumEventAgeInSeconds", .integer(60))),
      ])
    s.refuse(Array(repeating: busy(), count: 100))
    try await s.running { await s.advance(7200) }
    let letter = try #require(s.deliveries.last)
    #expect(letter.attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds")
    #expect(letter.at < "2027-01-15T08:31:01Z" && letter.attributes["RETRY_ATTEMPTS"] == "5")
  }

  @Test func whatCannotSucceedIsNotTriedAgain() async throws {
    let s = try Fixture()
    let dead: [String: JSONValue] = [
      "DeadLetterConfig": .members(("Arn", .string("arn:aws:sqs:us-east-1:111111111111:dead")))
    ]
    try await s.create("s", "at(2027-01-15T08:30:00)", targetMembers: dead)
    s.refuse([gone()])
    try await s.running { () throws in
      await s.advance(3600)
      #expect(s.deliveries.map(\.target) == ["refused", "dead dead"])
      #expect(s.deliveries[1].attributes["EXHAUSTED_RETRY_CONDITION"] == nil)
      #expect(s.deliveries[1].attributes["ERROR_CODE"] == "ResourceNotFoundException")
      // A dead-letter queue that is gone holds nothing up.
      s.loseQueues()
      s.refuse([gone()])
      try await s.create("t", "at(2027-01-15T09:30:00)", targetMembers: dead)
      await s.advance(3600)
      #expect(s.deliveries.map(\.target) == ["refused", "dead dead", "refused"])
      #expect(s.service.outbox.count == 0)
    }
  }

  // MARK: - Restarts

  @Test func whatIsDueSurvivesARestart() async throws {
    let first = try Fixture()
    try await first.create("once", "at(2027-01-15T08:30:00)")
    try await first.create("often", "rate(10 minutes)", ["StartDate": .integer(1_800_000_000 + 600)])
    try await first.create("rare", "cron(0 12 * * ? *)")
    first.refuse(Array(repeating: busy(), count: 10))
    // One attempt fails, and the server ends before the next one.
    try await first.running { await first.advance(600) }
    #expect(first.deliveries.count >= 1 && first.deliveries.allSatisfy { $0.target == "refused" })
    #expect(first.service.outbox.count == 1)
    // An hour later: what was on its way, what was due meanwhile, once each.
    let second = try Fixture(in: first.path, at: 4200)
    try await second.running { await second.advance(0) }
    let names = second.deliveries.map { $0.json["resources"]?.array?[0].string?.split(separator: "/").last ?? "" }
    #expect(names.sorted() == ["often", "often", "once"])
    let times = second.deliveries.compactMap { $0.json["time"]?.string }.sorted()
    #expect(
      times == ["2027-01-15T08:10:00Z", "2027-01-15T08:30:00Z", "2027-01-15T09:10:00Z"], "the last one that was missed")
    // And nothing twice.
    let third = try Fixture(in: first.path, at: 4200)
    try await third.running { await third.advance(599) }
    #expect(third.deliveries.isEmpty)
  }

  @Test func whatIsTooLateIsBuried() async throws {
    let first = try Fixture()
    try await first.create(
      "once", "at(2027-01-15T08:30:00)",
      targetMembers: ["DeadLetterConfig": .members(("Arn", .string("arn:aws:sqs:us-east-1:111111111111:dead")))])
    let second = try Fixture(in: first.path, at: 200_000)
    try await second.running { await second.advance(0) }
    #expect(second.deliveries.map(\.target) == ["dead dead"])
    #expect(second.deliveries[0].attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds")
  }
}
