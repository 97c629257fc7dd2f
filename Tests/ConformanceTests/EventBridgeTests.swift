// EventBridge in a process: buses, rules, targets, and the way of events to targets, with retries and dead letters.
import MartletCore
import MartletStore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct EventBridgeTests {
  static let queue = "arn:aws:sqs:us-east-1:111111111111:q"
  static let letters = "arn:aws:sqs:us-east-1:111111111111:letters"

  /// A rule for the source `s`, with one target.
  private func makeRule(
    _ events: EventBridgeFixture, pattern: String = #"{"source":["s"]}"#, target: String, more: String = ""
  ) async throws {
    try await events.done("PutRule", #"{"Name":"r","EventPattern":\#(JSONValue.string(pattern).text)}"#)
    let answer = try await events.done(
      "PutTargets", #"{"Rule":"r","Targets":[{"Id":"1","Arn":"\#(target)"\#(more)}]}"#)
    #expect(answer["FailedEntryCount"] == .integer(0))
  }

  private func put(_ events: EventBridgeFixture, detail: String = #"{"a": 1.50}"#, more: String = "") async throws {
    let answer = try await events.done(
      "PutEvents",
      #"{"Entries":[{"Source":"s","DetailType":"t","Detail":\#(JSONValue.string(detail).text)\#(more)}]}"#)
    #expect(answer["FailedEntryCount"] == .integer(0))
  }

  // MARK: - Buses and rules

  @Test func theDefaultBusIsThereFromTheBeginning() async throws {
    let events = try EventBridgeFixture()
    let bus = try await events.done("DescribeEventBus")
    #expect(bus["Arn"]?.string == "arn:aws:events:us-east-1:111111111111:event-bus/default")
    #expect(try await events.done("ListEventBuses")["EventBuses"]?.array?.count == 1)
    let answer = try await events.call("DeleteEventBus", #"{"Name":"default"}"#)
    #expect(answer.code == "ValidationException" && answer.message == "Cannot delete event bus default.")
    #expect(try await events.call("CreateEventBus", #"{"Name":"default"}"#).code == "ResourceAlreadyExistsException")
  }

  @Test func busesComeAndGo() async throws {
    let events = try EventBridgeFixture()
    let made = try await events.done(
      "CreateEventBus", #"{"Name":"b","Description":"d","Tags":[{"Key":"k","Value":"v"}]}"#)
    #expect(made["EventBusArn"]?.string == "arn:aws:events:us-east-1:111111111111:event-bus/b")
    #expect(try await events.call("CreateEventBus", #"{"Name":"b"}"#).message == "Event bus b already exists.")
    #expect(try await events.call("CreateEventBus", #"{"Name":"a/b"}"#).code == "ValidationException")
    try await events.done("PutRule", #"{"Name":"r","EventBusName":"b","EventPattern":"{\"source\":[\"s\"]}"}"#)
    let refused = try await events.call("DeleteEventBus", #"{"Name":"b"}"#)
    #expect(refused.message == "Event bus b can't be deleted since it has rules.")
    try await events.done(
      "DeleteRule", #"{"Name":"r","EventBusName":"arn:aws:events:us-east-1:111111111111:event-bus/b"}"#)
    try await events.done("UpdateEventBus", #"{"Name":"b","Description":"e"}"#)
    #expect(try await events.done("DescribeEventBus", #"{"Name":"b"}"#)["Description"]?.string == "e")
    try await events.done("DeleteEventBus", #"{"Name":"b"}"#)
    try await events.done("DeleteEventBus", #"{"Name":"b"}"#)
    let gone = try await events.call("DescribeEventBus", #"{"Name":"b"}"#)
    #expect(gone.code == "ResourceNotFoundException" && gone.message == "Event bus b does not exist.")
    #expect(
      try await events.call("PutRule", #"{"Name":"r","EventBusName":"b","EventPattern":"{\"source\":[\"s\"]}"}"#).code
        == "ResourceNotFoundException")
  }

  @Test func rulesAreKeptAndChanged() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(events, target: EventBridgeTests.queue)
    let rule = try await events.done("DescribeRule", #"{"Name":"r"}"#)
    #expect(rule["Arn"]?.string == "arn:aws:events:us-east-1:111111111111:rule/r")
    #expect(rule["State"]?.string == "ENABLED" && rule["EventBusName"]?.string == "default")
    try await events.done("DisableRule", #"{"Name":"r"}"#)
    #expect(try await events.done("DescribeRule", #"{"Name":"r"}"#)["State"]?.string == "DISABLED")
    try await events.done("EnableRule", #"{"Name":"r"}"#)
    #expect(
      try await events.call("DeleteRule", #"{"Name":"r"}"#).message == "Rule can't be deleted since it has targets.")
    #expect(
      try await events.done("ListRuleNamesByTarget", #"{"TargetArn":"\#(EventBridgeTests.queue)"}"#)["RuleNames"]
        == .array([.string("r")]))
    // What is not given again is gone; the targets stay.
    try await events.done("PutRule", #"{"Name":"r","ScheduleExpression":"rate(1 minute)"}"#)
    let changed = try await events.done("DescribeRule", #"{"Name":"r"}"#)
    #expect(changed["EventPattern"] == nil && changed["ScheduleExpression"]?.string == "rate(1 minute)")
    #expect(try await events.done("ListTargetsByRule", #"{"Rule":"r"}"#)["Targets"]?.array?.count == 1)
    let removed = try await events.done("RemoveTargets", #"{"Rule":"r","Ids":["1","2"]}"#)
    #expect(removed["FailedEntryCount"] == .integer(1))
    #expect(removed["FailedEntries"]?.array?.first?["ErrorCode"]?.string == "ResourceNotFoundException")
    try await events.done("DeleteRule", #"{"Name":"r"}"#)
    try await events.done("DeleteRule", #"{"Name":"r"}"#)
    #expect(
      try await events.call("DescribeRule", #"{"Name":"r"}"#).message == "Rule r does not exist on EventBus default.")
  }

  @Test func wrongRulesAreRefused() async throws {
    let events = try EventBridgeFixture()
    try await events.done("CreateEventBus", #"{"Name":"b"}"#)
    for (body, code, message) in [
      (#"{"Name":"r"}"#, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."),
      (
        #"{"Name":"r","ScheduleExpression":"rate(5 minutes)","EventBusName":"b"}"#, "ValidationException",
        "ScheduleExpression is supported only on the default event bus."
      ),
      (
        #"{"Name":"r","ScheduleExpression":"every day"}"#, "ValidationException",
        "Parameter ScheduleExpression is not valid."
      ),
      (
        #"{"Name":"r","EventPattern":"{\"source\":\"s\"}"}"#, "InvalidEventPatternException",
        "Event pattern is not valid. Reason: \"source\" must be an object or an array\n at [Source: (String)\"{\"source\":\"s\"}\"; line: 1, column: 12]"
      ),
    ] {
      let answer = try await events.call("PutRule", body)
      #expect(answer.status == 400 && answer.code == code && answer.message == message)
    }
    #expect(try await events.done("ListRules")["Rules"] == .array([]))
  }

  @Test func wrongTargetsAreRefused() async throws {
    let events = try EventBridgeFixture()
    try await events.done("PutRule", #"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#)
    for (target, code, message) in [
      (
        #""Arn":"x""#, "ValidationException", "Parameter 1 is not valid. Reason: Provided Arn is not in correct format."
      ),
      (
        #""Arn":"arn:aws:sqs:us-east-1:111111111111:q.fifo""#, "ValidationException",
        "Parameter(s) SqsParameters must be specified for target: 1."
      ),
      (
        #""Arn":"\#(EventBridgeTests.queue)","Input":"{","InputPath":"$""#, "ValidationException",
        "Only one of Input, InputPath, or InputTransformer must be provided for target 1."
      ),
      (
        #""Arn":"\#(EventBridgeTests.queue)","Input":"{""#, "ValidationException",
        "JSON syntax error in input for target 1."
      ),
      (
        #""Arn":"\#(EventBridgeTests.queue)","InputPath":"detail""#, "ValidationException",
        "Invalid InputPath for target 1."
      ),
      (
        #""Arn":"\#(EventBridgeTests.queue)","InputTransformer":{"InputTemplate":"\"<x>\""}"#, "ValidationException",
        "InputTemplate for target 1 contains invalid placeholder x."
      ),
      (
        #""Arn":"\#(EventBridgeTests.queue)","InputTransformer":{"InputTemplate":"{no"}"#, "ValidationException",
        "Invalid InputTemplate for target 1"
      ),
      (
        #""Arn":"arn:aws:kinesis:us-east-1:111111111111:stream/s","KinesisParameters":{"PartitionKeyPath":"detail"}"#,
        "ValidationException", "Invalid PartitionKeyPath for target 1."
      ),
      (
        #""Arn":"arn:aws:states:us-east-1:111111111111:stateMachine:s""#, "NotImplementedException",
        "Martlet does not implement EventBridge.PutTargets with a target of the service states yet. UNIMPLEMENTED.txt lists what is missing."
      ),
    ] {
      let answer = try await events.call("PutTargets", #"{"Rule":"r","Targets":[{"Id":"1",\#(target)}]}"#)
      #expect(answer.code == code && answer.message == message)
    }
    let six = (1...6).map { #"{"Id":"\#($0)","Arn":"\#(EventBridgeTests.queue)"}"# }.joined(separator: ",")
    #expect(try await events.call("PutTargets", #"{"Rule":"r","Targets":[\#(six)]}"#).code == "LimitExceededException")
    #expect(
      try await events.call("PutTargets", #"{"Rule":"x","Targets":[\#(six)]}"#).code == "ResourceNotFoundException")
    #expect(try await events.done("ListTargetsByRule", #"{"Rule":"r"}"#)["Targets"] == .array([]))
  }

  @Test func policiesAndTagsAreKept() async throws {
    let events = try EventBridgeFixture()
    try await events.done("PutRule", #"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#)
    for arn in ["rule/r", "event-bus/default"].map({ "arn:aws:events:us-east-1:111111111111:\($0)" }) {
      try await events.done(
        "TagResource", #"{"ResourceARN":"\#(arn)","Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}"#)
      try await events.done("UntagResource", #"{"ResourceARN":"\#(arn)","TagKeys":["a"]}"#)
      #expect(
        try await events.done("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#)["Tags"]
          == .array([.members(("Key", .string("b")), ("Value", .string("2")))]))
    }
    #expect(
      try await events.call("RemovePermission", #"{"StatementId":"s"}"#).message == "EventBus does not have a policy.")
    try await events.done(
      "PutPermission", #"{"StatementId":"s","Action":"events:PutEvents","Principal":"222222222222"}"#)
    let policy = try await events.done("DescribeEventBus")["Policy"]?.string ?? ""
    let statement = try JSONValue(parsing: policy)["Statement"]?.array?.first
    #expect(statement?["Principal"]?["AWS"]?.string == "arn:aws:iam::222222222222:root")
    #expect(statement?["Resource"]?.string == "arn:aws:events:us-east-1:111111111111:event-bus/default")
    #expect(
      try await events.call("RemovePermission", #"{"StatementId":"x"}"#).message
        == "Statement with the provided id does not exist.")
    try await events.done("RemovePermission", #"{"StatementId":"s"}"#)
    #expect(try await events.done("DescribeEventBus")["Policy"] == nil)
  }

  @Test func listsComeInPages() async throws {
    let events = try EventBridgeFixture()
    for name in ["c", "a", "b"] {
      try await events.done("PutRule", #"{"Name":"\#(name)","EventPattern":"{\"source\":[\"s\"]}"}"#)
    }
    var names: [String] = []
    var token: String?
    repeat {
      let page = try await events.done(
        "ListRules", token.map { #"{"Limit":2,"NextToken":"\#($0)"}"# } ?? #"{"Limit":2}"#)
      names += (page["Rules"]?.array ?? []).compactMap { $0["Name"]?.string }
      token = page["NextToken"]?.string
    } while token != nil
    #expect(names == ["a", "b", "c"])
    #expect(try await events.call("ListRules", #"{"NextToken":"?"}"#).code == "ValidationException")
  }

  @Test func patternsCanBeTried() async throws {
    let events = try EventBridgeFixture()
    let event =
      #"{\"id\":\"1\",\"account\":\"1\",\"source\":\"s\",\"time\":\"t\",\"region\":\"r\",\"resources\":[],\"detail-type\":\"d\"}"#
    for (pattern, result) in [(#"{\"source\":[\"s\"]}"#, true), (#"{\"source\":[\"x\"]}"#, false)] {
      let answer = try await events.done("TestEventPattern", #"{"EventPattern":"\#(pattern)","Event":"\#(event)"}"#)
      #expect(answer["Result"] == .bool(result))
    }
    let wrong = try await events.call("TestEventPattern", #"{"EventPattern":"{}","Event":"\#(event)"}"#)
    #expect(wrong.code == "InvalidEventPatternException")
    for event in ["{}", "x", "[]"] {
      let answer = try await events.call(
        "TestEventPattern", #"{"EventPattern":"{\"source\":[\"s\"]}","Event":"\#(event)"}"#)
      #expect(answer.code == "ValidationException")
    }
  }

  // MARK: - Events

  @Test func entriesAreRefusedOneByOne() async throws {
    let events = try EventBridgeFixture()
    let answer = try await events.done(
      "PutEvents",
      #"""
      {"Entries":[{"DetailType":"t","Detail":"{}"},{"Source":"s","Detail":"{}"},{"Source":"s","DetailType":"t"},
      {"Source":"s","DetailType":"t","Detail":"[]"},{"Source":"s","DetailType":"t","Detail":"{"},
      {"Source":"aws.s3","DetailType":"t","Detail":"{}"},{"Source":"s","DetailType":"t","Detail":"{}"}]}
      """#)
    #expect(answer["FailedEntryCount"] == .integer(6))
    let entries = answer["Entries"]?.array ?? []
    #expect(
      entries.map { $0["ErrorCode"]?.string ?? "" } == [
        "InvalidArgument", "InvalidArgument", "InvalidArgument", "MalformedDetail", "MalformedDetail",
        "NotAuthorizedForSourceException", "",
      ])
    #expect(
      entries[0]["ErrorMessage"]?.string == "Parameter Source is not valid. Reason: Source is a required argument.")
    #expect(entries.last?["EventId"]?.string?.utf8.count == 36)
    let large = String(repeating: "x", count: 1 << 19)
    let entry = #"{"Source":"s","DetailType":"t","Detail":"{\"a\":\"\#(large)\"}"}"#
    #expect(
      try await events.call("PutEvents", #"{"Entries":[\#(entry),\#(entry)]}"#).message
        == "Total size of the entries in the request is over the limit.")
  }

  @Test func anEventReachesEveryTargetOfEveryRuleThatItMatches() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(
      events, pattern: #"{"source":["s"],"detail":{"a":[{"numeric":["<",2]}]}}"#, target: EventBridgeTests.queue)
    try await events.done(
      "PutTargets",
      #"{"Rule":"r","Targets":[{"Id":"2","Arn":"arn:aws:lambda:us-east-1:111111111111:function:f:live"}]}"#)
    try await events.done("PutRule", #"{"Name":"other","EventPattern":"{\"source\":[\"x\"]}"}"#)
    let arrivals = try await events.serving {
      try await put(
        events, detail: "{ \"a\" : 1.50,\n \"b\": \"x y\" }",
        more: #","Resources":["arn:r"],"Time":1700000000.5,"TraceHeader":"Root=1-2-3""#)
      try await put(events, detail: #"{"a":2}"#)
      await events.advance(1)
      return events.arrivals()
    }
    #expect(arrivals.map(\.target).sorted() == ["arn:aws:lambda:us-east-1:111111111111:function:f:live", "q"])
    let payload = try #require(arrivals.first?.payload)
    #expect(arrivals.allSatisfy { $0.payload == payload && $0.call.caller == .service("events.amazonaws.com") })
    let id = try JSONValue(parsing: payload)["id"]?.string ?? ""
    #expect(
      payload
        == #"{"version":"0","id":"\#(id)","detail-type":"t","source":"s","account":"111111111111","time":"2023-11-14T22:13:20Z","region":"us-east-1","resources":["arn:r"],"detail":{"a":1.50,"b":"x y"}}"#
    )
    #expect(arrivals.first { $0.target == "q" }?.attributes["AWSTraceHeader"] == "Root=1-2-3")
  }

  @Test func rulesThatAreDisabledOrDeletedGetNothing() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(events, target: EventBridgeTests.queue)
    try await events.serving {
      try await events.done("DisableRule", #"{"Name":"r"}"#)
      try await put(events)
      try await events.done("EnableRule", #"{"Name":"r"}"#)
      try await put(events)
      try await events.done("PutRule", #"{"Name":"r","EventPattern":"{\"source\":[\"other\"]}"}"#)
      try await put(events)
      await events.advance(1)
    }
    #expect(events.arrivals().count == 1)
  }

  @Test func inputsAreMadeOfTheEvent() async throws {
    for (members, wanted) in [
      (#""Input":"{\"fixed\": [1]}""#, #"{"fixed": [1]}"#),
      (#""InputPath":"$.detail""#, #"{"a":{"b":["x",2]},"q":"say \"hi\""}"#),
      (#""InputPath":"$.detail.a.b[0]""#, #""x""#), (#""InputPath":"$.nothing""#, "{}"),
      (
        #""InputTransformer":{"InputPathsMap":{"b":"$.detail.a.b","q":"$.detail.q","no":"$.no"},"InputTemplate":"{\"b\": <b>, \"q\": <q>, \"s\": \"<q> of <b>\", \"no\": <no>, \"rule\": <aws.events.rule-name>, \"<aws.events.rule-arn>\": 1}"}"#,
        #"{"b": ["x",2], "q": "say \"hi\"", "s": "say \"hi\" of [x,2]", "no": "", "rule": "r", "arn:aws:events:us-east-1:111111111111:rule/r": 1}"#
      ),
      (
        #""InputTransformer":{"InputPathsMap":{"t":"$.detail-type"},"InputTemplate":"\"a <t> at <aws.events.event.ingestion-time>\""}"#,
        #""a t at 2027-01-15T08:00:00.000Z""#
      ),
      (
        #""InputTransformer":{"InputPathsMap":{"t":"$.detail-type"},"InputTemplate":"\"<t>\"\n\"and <t>\""}"#,
        "\"t\"\n\"and t\""
      ),
    ] {
      let events = try EventBridgeFixture()
      try await makeRule(events, target: EventBridgeTests.queue, more: ",\(members)")
      try await events.serving {
        try await put(events, detail: #"{"a":{"b":["x",2]},"q":"say \"hi\""}"#)
        await events.advance(1)
      }
      #expect(events.arrivals().map(\.payload) == [wanted])
    }
  }

  @Test func theWholeEventCanStandInATemplate() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(
      events, target: EventBridgeTests.queue,
      more:
        #","InputTransformer":{"InputTemplate":"{\"e\":<aws.events.event>,\"j\":<aws.events.event.json>}"}"#)
    try await events.serving {
      try await put(events)
      await events.advance(1)
    }
    let made = try JSONValue(parsing: try #require(events.arrivals().first).payload)
    #expect(made["j"]?["detail"] == .members(("a", .double(1.5))) && made["e"]?["detail"] == nil)
    #expect(made["e"]?["id"] == made["j"]?["id"])
  }

  @Test func aGroupKeepsItsOrder() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(
      events, target: "arn:aws:sqs:us-east-1:111111111111:q.fifo",
      more: #","SqsParameters":{"MessageGroupId":"g"},"InputPath":"$.detail.n""#)
    try await events.serving {
      for i in 0..<50 { try await put(events, detail: #"{"n":\#(i)}"#) }
      await events.advance(1)
    }
    let arrivals = events.arrivals()
    #expect(arrivals.map(\.payload) == (0..<50).map(String.init))
    #expect(arrivals.allSatisfy { $0.group == "g" })
  }

  @Test func busesPassEventsOn() async throws {
    let events = try EventBridgeFixture()
    try await events.done("CreateEventBus", #"{"Name":"b"}"#)
    try await makeRule(events, target: "arn:aws:events:us-east-1:111111111111:event-bus/b")
    try await events.done("PutRule", #"{"Name":"on","EventBusName":"b","EventPattern":"{\"source\":[\"s\"]}"}"#)
    try await events.done(
      "PutTargets",
      #"{"Rule":"on","EventBusName":"b","Targets":[{"Id":"1","Arn":"\#(EventBridgeTests.queue)"},{"Id":"2","Arn":"arn:aws:events:us-east-1:111111111111:event-bus/default"}]}"#
    )
    try await events.serving {
      try await put(events)
      await events.advance(1)
    }
    // The two buses send it to and fro until that is stopped.
    let arrivals = events.arrivals()
    #expect(arrivals.count == 8 && Set(arrivals.map(\.payload)).count == 1)
  }

  // MARK: - Failures

  @Test func whatIsRefusedForGoodBecomesADeadLetterAtOnce() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(
      events, target: EventBridgeTests.queue,
      more: #","DeadLetterConfig":{"Arn":"\#(EventBridgeTests.letters)"},"InputPath":"$.detail""#)
    events.refuse("q", .sqsNoQueue())
    try await events.serving {
      try await put(events)
      await events.advance(1)
    }
    let letter = try #require(events.arrivals().first)
    #expect(letter.target == "letters" && letter.payload.hasPrefix(#"{"version":"0""#) && events.attempts == 2)
    #expect(
      letter.attributes == [
        "RULE_ARN": "arn:aws:events:us-east-1:111111111111:rule/r", "TARGET_ARN": EventBridgeTests.queue,
        "ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": "The specified queue does not exist.",
      ])
  }

  @Test func whatMayPassIsTriedAgainUntilThePolicyEnds() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(
      events, target: EventBridgeTests.queue,
      more:
        #","DeadLetterConfig":{"Arn":"\#(EventBridgeTests.letters)"},"RetryPolicy":{"MaximumRetryAttempts":3}"#)
    events.refuse("q", .service("the queue is out of order"))
    try await events.serving {
      try await put(events)
      await events.advance(3)
      #expect(events.arrivals().isEmpty)
      await events.advance(60)
    }
    let tally = try #require(events.service.counts.rules.first).tally
    #expect(tally.matched == 1 && tally.failures == 4 && tally.deadLetters == 1 && tally.delivered == 0)
    #expect(tally.lastFailure?.contains("ServiceException") == true && events.service.waiting == 0)
    let letter = try #require(events.arrivals().first)
    #expect(events.attempts == 5 && letter.attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts")
    #expect(letter.attributes["RETRY_ATTEMPTS"] == "3" && letter.attributes["ERROR_CODE"] == "ERROR_FROM_TARGET")
  }

  @Test func anEventGrowsTooOld() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(
      events, target: EventBridgeTests.queue,
      more:
        #","DeadLetterConfig":{"Arn":"\#(EventBridgeTests.letters)"},"RetryPolicy":{"MaximumEventAgeInSeconds":60}"#)
    events.refuse("q", AWSError("ThrottlingException", status: 400, "Rate exceeded"))
    try await events.serving {
      try await put(events)
      await events.advance(61)
    }
    let letter = try #require(events.arrivals().first)
    #expect(letter.attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds")
    #expect(letter.attributes["ERROR_CODE"] == "THROTTLING" && letter.attributes["RETRY_ATTEMPTS"] == "6")
  }

  @Test func whatIsDroppedIsCounted() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(events, target: EventBridgeTests.queue)
    events.refuse("q", .sqsNoQueue())
    try await events.serving {
      try await put(events)
      try await events.done("PutEvents", #"{"Entries":[{"Source":"x","DetailType":"t","Detail":"{}"}]}"#)
      await events.advance(1)
    }
    let counts = events.service.counts
    #expect(counts.accepted == 2 && counts.unmatched == 1 && counts.rules.map(\.tally.dropped) == [1])
    try await events.done("RemoveTargets", #"{"Rule":"r","Ids":["1"]}"#)
    try await events.done("DeleteRule", #"{"Name":"r"}"#)
    #expect(events.service.counts.rules.isEmpty)
  }

  @Test func aTargetThatRecoversGetsTheEvent() async throws {
    let events = try EventBridgeFixture()
    try await makeRule(events, target: EventBridgeTests.queue)
    events.refuse("q", .service("the queue is out of order"))
    try await events.serving {
      try await put(events)
      await events.advance(10)
      events.refuse("q", nil)
      await events.advance(3600)
    }
    #expect(events.arrivals().count == 1)
  }

  @Test func whatIsOwedSurvivesTheServer() async throws {
    let first = try EventBridgeFixture(isKept: true)
    try await makeRule(first, target: EventBridgeTests.queue)
    for i in 0..<20 { try await put(first, detail: #"{"n":\#(i)}"#) }
    let second = try EventBridgeFixture(in: first.directory)
    try await second.serving { await second.advance(1) }
    #expect(Set(second.arrivals().map(\.payload)).count == 20)
  }

  @Test func verdictsFollowThePolicy() throws {
    let body =
      #"{"event":"{}","target":"t","rule":"r","request":"00000000-0000-4000-8000-000000000000","retries":185,"age":86400}"#
    let delivery = try #require(EventDelivery(body: Array(body.utf8)))
    let passing = AWSError.service("x")
    var age = Duration.zero
    var failures = 0
    while case .again(let pause) = delivery.verdict(after: passing, failures: failures, age: age) {
      #expect(pause > .zero && pause <= .seconds(480))
      age += pause
      failures += 1
    }
    // The usual policy lasts for about a day, by either of its limits.
    #expect(age <= .seconds(86400) && age > .seconds(80000) && failures <= 185 && failures > 170)
    #expect(
      delivery.verdict(after: AWSError("ResourceNotFoundException", status: 404, ""), failures: 0, age: .zero)
        == .giveUp(exhausted: nil))
  }
}
