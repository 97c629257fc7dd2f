// CloudWatch Logs: groups, streams, events, tokens, retention, subscriptions, live tails, as clients see them.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct LogsTests {
  @Test func groupsAndStreamsComeAndGo() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    #expect(try await logs.call("CreateLogGroup", #"{"logGroupName":"g"}"#).code == "ResourceAlreadyExistsException")
    let again = try await logs.call("CreateLogStream", #"{"logGroupName":"g","logStreamName":"s"}"#)
    #expect(again.code == "ResourceAlreadyExistsException")
    #expect(again.message == "The specified log stream already exists")
    let absent = try await logs.call("CreateLogStream", #"{"logGroupName":"no","logStreamName":"s"}"#)
    #expect(absent.message == "The specified log group does not exist.")
    try await logs.put([(0, "a")])
    try await logs.ask("DeleteLogStream", #"{"logGroupName":"g","logStreamName":"s"}"#)
    #expect(logs.texts(try await logs.ask("FilterLogEvents", #"{"logGroupName":"g"}"#)).isEmpty)
    // A stream of the same name begins anew.
    try await logs.makeStream()
    #expect(logs.texts(try await logs.ask("FilterLogEvents", #"{"logGroupName":"g"}"#)).isEmpty)
    try await logs.ask("DeleteLogGroup", #"{"logGroupName":"g"}"#)
    #expect(try await logs.call("DeleteLogGroup", #"{"logGroupName":"g"}"#).code == "ResourceNotFoundException")
    #expect(Files.names(in: "\(logs.directory)/logs").isEmpty)
  }

  @Test func protectedGroupsStay() async throws {
    let logs = try LogsFixture()
    try await logs.ask("CreateLogGroup", #"{"logGroupName":"g","deletionProtectionEnabled":true}"#)
    #expect(try await logs.call("DeleteLogGroup", #"{"logGroupName":"g"}"#).code == "ValidationException")
    try await logs.ask(
      "PutLogGroupDeletionProtection", #"{"logGroupIdentifier":"g","deletionProtectionEnabled":false}"#)
    try await logs.ask("DeleteLogGroup", #"{"logGroupName":"g"}"#)
  }

  @Test func listsComeInPages() async throws {
    let logs = try LogsFixture()
    for i in 0..<7 { try await logs.makeStream("g\(i)", "s") }
    for i in 1..<5 { try await logs.makeStream("g0", "s\(i)") }
    func names(_ operation: String, _ list: String, _ name: String, _ rest: String) async throws -> [String] {
      var (found, token): ([String], String?) = ([], nil)
      repeat {
        let body = "{\"limit\":2\(rest)\(token.map { ",\"nextToken\":\"\($0)\"" } ?? "")}"
        let page = try await logs.ask(operation, body)
        found += (page[list]?.array ?? []).compactMap { $0[name]?.string }
        token = page["nextToken"]?.string
      } while token != nil
      return found
    }
    #expect(
      try await names("DescribeLogGroups", "logGroups", "logGroupName", "") == (0..<7).map { "g\($0)" })
    #expect(
      try await names("DescribeLogGroups", "logGroups", "logGroupName", #","logGroupNamePattern":"3""#) == ["g3"])
    #expect(
      try await names("DescribeLogStreams", "logStreams", "logStreamName", #","logGroupName":"g0""#)
        == ["s", "s1", "s2", "s3", "s4"])
    #expect(
      try await names("DescribeLogStreams", "logStreams", "logStreamName", #","logGroupName":"g0","descending":true"#)
        == ["s4", "s3", "s2", "s1", "s"])
    try await logs.put([(0, "x")], group: "g0", stream: "s2")
    try await logs.put([(5, "x")], group: "g0", stream: "s1")
    let byTime = try await names(
      "DescribeLogStreams", "logStreams", "logStreamName",
      #","logGroupName":"g0","orderBy":"LastEventTime","descending":true"#)
    #expect(byTime.prefix(2) == ["s1", "s2"] && byTime.count == 5)
  }

  @Test func eventsAreReadBothWaysAndTokensRestAtTheEnds() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    try await logs.put((0..<10).map { (Int64($0), "e\($0)") })
    func get(_ rest: String) async throws -> JSONValue {
      try await logs.ask("GetLogEvents", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"limit\":4\(rest)}")
    }
    var page = try await get("")
    #expect(logs.texts(page) == ["e6", "e7", "e8", "e9"])
    page = try await get(",\"nextToken\":\"\(page["nextBackwardToken"]?.string ?? "")\"")
    #expect(logs.texts(page) == ["e2", "e3", "e4", "e5"])
    page = try await get(#","startFromHead":true"#)
    #expect(logs.texts(page) == ["e0", "e1", "e2", "e3"])
    var seen = logs.texts(page)
    var token = page["nextForwardToken"]?.string ?? ""
    while true {
      page = try await get(",\"nextToken\":\"\(token)\"")
      seen += logs.texts(page)
      let next = page["nextForwardToken"]?.string ?? ""
      if next == token { break }
      token = next
    }
    #expect(seen == (0..<10).map { "e\($0)" })
    // What comes later is behind the token that has rested.
    try await logs.put([(20, "late")])
    #expect(logs.texts(try await get(",\"nextToken\":\"\(token)\"")) == ["late"])
    let start = LogsFixture.start
    #expect(
      logs.texts(try await get(",\"startFromHead\":true,\"startTime\":\(start + 3),\"endTime\":\(start + 5)"))
        == ["e3", "e4"])
    let bad = try await logs.call("GetLogEvents", #"{"logGroupName":"g","logStreamName":"s","nextToken":"x"}"#)
    #expect(bad.code == "InvalidParameterException" && bad.message == "The specified nextToken is invalid.")
    let none = try await logs.call("GetLogEvents", #"{"logGroupName":"g","logStreamName":"no"}"#)
    #expect(none.message == "The specified log stream does not exist.")
  }

  @Test func eventsOfAGroupAreFilteredInTheOrderOfTheirTimes() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream("g", "a")
    try await logs.makeStream("g", "b")
    try await logs.put([(5, "E five"), (6, "six")], stream: "a")
    try await logs.put([(1, "E one"), (9, "E nine")], stream: "b")
    func filter(_ rest: String) async throws -> [String] {
      logs.texts(try await logs.ask("FilterLogEvents", "{\"logGroupName\":\"g\"\(rest)}"))
    }
    #expect(try await filter("") == ["E one", "E five", "six", "E nine"])
    #expect(try await filter(#","filterPattern":"E""#) == ["E one", "E five", "E nine"])
    #expect(try await filter(#","logStreamNames":["a"]"#) == ["E five", "six"])
    #expect(try await filter(#","logStreamNamePrefix":"b""#) == ["E one", "E nine"])
    let start = LogsFixture.start
    #expect(try await filter(",\"startTime\":\(start + 5),\"endTime\":\(start + 9)") == ["E five", "six", "E nine"])
    let page = try await logs.ask("FilterLogEvents", #"{"logGroupName":"g","limit":2,"filterPattern":"E"}"#)
    #expect(logs.texts(page) == ["E one", "E five"])
    let token = try #require(page["nextToken"]?.string)
    #expect(try await filter(",\"filterPattern\":\"E\",\"nextToken\":\"\(token)\"") == ["E nine"])
    let ids = (page["events"]?.array ?? []).compactMap { $0["eventId"]?.string }
    #expect(ids.allSatisfy { $0.count == 56 } && ids == ids.sorted())
    let bad = try await logs.call("FilterLogEvents", #"{"logGroupName":"g","filterPattern":"{ $.a = }"}"#)
    #expect(bad.code == "InvalidParameterException" && bad.message.contains("Invalid filter pattern"))
  }

  @Test func batchesHaveRules() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    func refusal(_ events: [(time: Int64, text: String)]) async throws -> String {
      let list = JSONValue.array(
        events.map {
          .members(("timestamp", .integer(LogsFixture.start + $0.time)), ("message", .string($0.text)))
        })
      let answer = try await logs.call(
        "PutLogEvents",
        .members(("logGroupName", .string("g")), ("logStreamName", .string("s")), ("logEvents", list)))
      return answer.status == 200 ? "" : answer.message
    }
    #expect(
      try await refusal([(5, "b"), (1, "a")])
        == "Log events in a single PutLogEvents request must be in chronological order.")
    #expect(
      try await refusal([(0, "a"), (86_400_001, "b")])
        == "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    let large = String(repeating: "x", count: 1_048_577 - 26)
    #expect(try await refusal([(0, large)]) == "Log event too large: 1048577 bytes exceeds limit of 1048576")
    let half = String(repeating: "x", count: 524_288)
    #expect(
      try await refusal([(0, half), (0, half)]) == "Upload too large: 1048628 bytes exceeds limit of 1048576")
    #expect(try await refusal([(0, String(repeating: "x", count: 1_048_576 - 26))]) == "")
  }

  @Test func whatIsTooOldOrTooNewIsLeftOut() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    let day: Int64 = 86_400_000
    let old = try await logs.put([(-14 * day - 2, "old"), (-14 * day - 1, "old"), (-14 * day + day / 2, "kept")])
    #expect(old["rejectedLogEventsInfo"] == .members(("tooOldLogEventEndIndex", .integer(2))))
    let new = try await logs.put([(0, "kept"), (7_200_000, "kept"), (7_200_001, "new"), (7_300_000, "new")])
    #expect(new["rejectedLogEventsInfo"] == .members(("tooNewLogEventStartIndex", .integer(2))))
    try await logs.ask("PutRetentionPolicy", #"{"logGroupName":"g","retentionInDays":1}"#)
    let expired = try await logs.put([(-day - 5, "expired"), (-day + 5, "kept")])
    #expect(expired["rejectedLogEventsInfo"] == .members(("expiredLogEventEndIndex", .integer(1))))
    #expect(expired["nextSequenceToken"]?.string?.count == 56)
    #expect(Set(logs.texts(try await logs.ask("FilterLogEvents", #"{"logGroupName":"g"}"#))) == ["kept"])
  }

  @Test func retentionDeletes() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    try await logs.put([(0, "first")])
    try await logs.ask("PutRetentionPolicy", #"{"logGroupName":"g","retentionInDays":3}"#)
    await logs.advance(2 * 86_400)
    #expect(logs.texts(try await logs.ask("FilterLogEvents", #"{"logGroupName":"g"}"#)) == ["first"])
    #expect(logs.service.storedBytes > 0)
    await logs.advance(86_400 + 1)
    #expect(logs.texts(try await logs.ask("FilterLogEvents", #"{"logGroupName":"g"}"#)).isEmpty)
    #expect(logs.service.storedBytes == 0)
    let wrong = try await logs.call("PutRetentionPolicy", #"{"logGroupName":"g","retentionInDays":2}"#)
    #expect(wrong.message.contains("at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value"))
    try await logs.ask("DeleteRetentionPolicy", #"{"logGroupName":"g"}"#)
  }

  @Test func theOldestGoWhenThereIsNoRoom() async throws {
    let logs = try LogsFixture(storage: .mebibytes(40))
    try await logs.makeStream()
    let text = String(repeating: "x", count: 1_000_000)
    for i in 0..<60 { try await logs.put([(Int64(i), "\(i) " + text)]) }
    #expect(logs.service.storedBytes <= 40 << 20)
    let page = try await logs.ask("GetLogEvents", #"{"logGroupName":"g","logStreamName":"s","limit":1}"#)
    #expect(logs.texts(page).first?.hasPrefix("59 ") == true)
    #expect(logs.service.totals.removedBytes >= 16_000_000)
  }

  @Test func tagsAreKept() async throws {
    let logs = try LogsFixture()
    try await logs.ask("CreateLogGroup", #"{"logGroupName":"g","tags":{"a":"1"}}"#)
    let arn = #""resourceArn":"arn:aws:logs:us-east-1:111111111111:log-group:g""#
    try await logs.ask("TagResource", "{\(arn),\"tags\":{\"b\":\"2\"}}")
    try await logs.ask("TagLogGroup", #"{"logGroupName":"g","tags":{"c":"3"}}"#)
    try await logs.ask("UntagResource", "{\(arn),\"tagKeys\":[\"a\"]}")
    try await logs.ask("UntagLogGroup", #"{"logGroupName":"g","tags":["c"]}"#)
    #expect(try await logs.ask("ListTagsForResource", "{\(arn)}")["tags"] == .members(("b", .string("2"))))
    #expect(try await logs.ask("ListTagsLogGroup", #"{"logGroupName":"g"}"#)["tags"] == .members(("b", .string("2"))))
    try await logs.ask("AssociateKmsKey", #"{"logGroupName":"g","kmsKeyId":"k"}"#)
    try await logs.ask("DisassociateKmsKey", #"{"logGroupName":"g"}"#)
    try await logs.ask("PutResourcePolicy", #"{"policyName":"p","policyDocument":"{}"}"#)
    try await logs.ask("DeleteResourcePolicy", #"{"policyName":"p"}"#)
  }

  @Test func metricFiltersAreKeptAndTested() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    let body =
      #"{"logGroupName":"g","filterName":"f","filterPattern":"{ $.a = 1 }","metricTransformations":[{"metricName":"m","metricNamespace":"n","metricValue":"1","defaultValue":0.5}]}"#
    try await logs.ask("PutMetricFilter", body)
    let shown = try await logs.ask("DescribeMetricFilters", #"{"metricName":"m","metricNamespace":"n"}"#)
    #expect(
      shown["metricFilters"]?.array?.first?["metricTransformations"]?.array?.first?["defaultValue"]?.number == 0.5)
    #expect(
      try await logs.ask("DescribeLogGroups", "{}")["logGroups"]?.array?.first?["metricFilterCount"]?.integer == 1)
    let tested = try await logs.ask(
      "TestMetricFilter",
      #"{"filterPattern":"[ip, user, ..., status = 4*, size]","logEventMessages":["1.2.3.4 bob \"GET /\" 404 12","no"]}"#
    )
    #expect(
      tested["matches"]?.array?.first?["extractedValues"]
        == .members(
          ("$ip", .string("1.2.3.4")), ("$user", .string("bob")), ("$status", .string("404")), ("$size", .string("12")))
    )
    #expect(tested["matches"]?.array?.count == 1)
    try await logs.ask("DeleteMetricFilter", #"{"logGroupName":"g","filterName":"f"}"#)
    #expect(
      try await logs.call("DeleteMetricFilter", #"{"logGroupName":"g","filterName":"f"}"#).code
        == "ResourceNotFoundException")
  }

  @Test func subscriptionsInvokeFunctions() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    let destination = "arn:aws:lambda:us-east-1:111111111111:function:f"
    try await logs.ask(
      "PutSubscriptionFilter",
      "{\"logGroupName\":\"g\",\"filterName\":\"x\",\"filterPattern\":\"ERROR\",\"destinationArn\":\"\(destination)\"}")
    try await logs.put([(0, "fine"), (1, "an ERROR"), (2, "ERROR again")])
    await logs.advance(1)
    let invoked = logs.invocations.list.withLock { $0 }
    let first = try #require(invoked.first)
    #expect(invoked.count == 1 && first.function == destination && first.caller == .service("logs.amazonaws.com"))
    let data = try #require(first.payload["awslogs"]?["data"]?.string.flatMap { Base64.decode($0) })
    // Behind the ten bytes of the head: a stored block.
    #expect(Array(data.readableBytesView.prefix(3)) == [0x1f, 0x8b, 8])
    let bytes = Array(data.readableBytesView.dropFirst(15).dropLast(8))
    let event = try JSONValue(parsing: ByteBuffer(bytes: bytes))
    #expect(event["messageType"] == .string("DATA_MESSAGE") && event["owner"] == .string("111111111111"))
    #expect(event["logGroup"] == .string("g") && event["logStream"] == .string("s"))
    #expect(event["subscriptionFilters"] == .array([.string("x")]))
    #expect(event["logEvents"]?.array?.map { $0["message"]?.string } == ["an ERROR", "ERROR again"])
    #expect(event["logEvents"]?.array?.first?["id"]?.string?.count == 56)
    let shown = try await logs.ask("DescribeSubscriptionFilters", #"{"logGroupName":"g"}"#)
    #expect(shown["subscriptionFilters"]?.array?.first?["destinationArn"]?.string == destination)
    try await logs.ask("DeleteSubscriptionFilter", #"{"logGroupName":"g","filterName":"x"}"#)
    try await logs.put([(3, "ERROR unseen")])
    await logs.advance(1)
    #expect(logs.invocations.list.withLock { $0.count } == 1)
  }

  @Test func theThirdSubscriptionIsTooMuch() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    func put(
      _ name: String, _ service: String = "lambda", function: String = "f"
    ) async throws -> LogsFixture.Answer {
      let arn = "arn:aws:\(service):us-east-1:111111111111:function:\(function)"
      return try await logs.call(
        "PutSubscriptionFilter",
        "{\"logGroupName\":\"g\",\"filterName\":\"\(name)\",\"filterPattern\":\"\",\"destinationArn\":\"\(arn)\"}")
    }
    #expect(try await put("a").status == 200)
    #expect(try await put("b").status == 200)
    #expect(try await put("b").status == 200)
    #expect(try await put("c").code == "LimitExceededException")
    #expect(try await put("c", "firehose").status == 501)
    #expect(try await put("a", function: "gone").message.hasPrefix("Could not execute the lambda function."))
  }

  @Test func thePlatformMakesGroupsAndStreams() async throws {
    let logs = try LogsFixture()
    var batch = LogBatch()
    batch.append(line: ByteBuffer(string: "one\rtwo\r"), withEnd: true, at: LogsFixture.start)
    #expect(
      logs.service.write(batch, to: LogStreamName(place: logs.place, group: "/aws/lambda/f", stream: "2026/[1]a")))
    await logs.advance(1)
    let found = try await logs.ask(
      "GetLogEvents", #"{"logGroupName":"/aws/lambda/f","logStreamName":"2026/[1]a","startFromHead":true}"#)
    #expect(logs.texts(found) == ["one\ntwo\n"])
  }

  @Test func whoLogsTooMuchLosesAndIsCounted() async throws {
    let logs = try LogsFixture()
    // Nobody writes any more.
    await logs.stop()
    var batch = LogBatch()
    batch.append(String(repeating: "x", count: 1 << 20), at: LogsFixture.start)
    let (one, other) = (
      LogStreamName(place: logs.place, group: "g", stream: "a"),
      LogStreamName(place: logs.place, group: "g", stream: "b")
    )
    var taken = 0
    while logs.service.write(batch, to: one) { taken += 1 }
    #expect(taken == 7)
    // Another stream does not suffer from it.
    #expect(logs.service.write(batch, to: other))
    #expect(logs.service.totals.droppedEvents == 1)
  }

  @Test func everythingIsThereAfterARestart() async throws {
    let first = try LogsFixture(keeps: true)
    try await first.makeStream()
    try await first.put((0..<100).map { (Int64($0), "e\($0)") })
    await first.stop()
    let second = try LogsFixture(in: first.directory)
    #expect(logs(second, try await second.ask("FilterLogEvents", #"{"logGroupName":"g"}"#)).count == 100)
    let stream = try await second.ask("DescribeLogStreams", #"{"logGroupName":"g"}"#)["logStreams"]?.array?.first
    #expect(stream?["lastEventTimestamp"]?.integer == Int(LogsFixture.start) + 99)
  }

  private func logs(_ fixture: LogsFixture, _ body: JSONValue) -> [String] { fixture.texts(body) }

  @Test func queriesRunAndAreShown() async throws {
    let logs = try LogsFixture()
    try await logs.makeStream()
    try await logs.put((0..<10).map { (Int64($0), "{\"level\":\"\($0 % 2 == 0 ? "INFO" : "ERROR")\",\"n\":\($0)}") })
    func run(_ text: String) async throws -> JSONValue {
      let body = JSONValue.members(
        ("logGroupName", .string("g")), ("startTime", .integer(1_799_999_000)), ("endTime", .integer(1_800_001_000)),
        ("queryString", .string(text)))
      let id = try #require(try await logs.ask("StartQuery", body.text)["queryId"]?.string)
      // A move of the clock waits for what runs.
      await logs.advance(1)
      let results = try await logs.ask("GetQueryResults", "{\"queryId\":\"\(id)\"}")
      #expect(results["status"]?.string == "Complete")
      return results
    }
    let counted = try await run("stats count(*) as c, sum(n) by level | sort level asc")
    #expect(
      counted["results"]?.text
        == #"[[{"field":"level","value":"ERROR"},{"field":"c","value":"5"},{"field":"sum(n)","value":"25"}],"#
        + #"[{"field":"level","value":"INFO"},{"field":"c","value":"5"},{"field":"sum(n)","value":"20"}]]"#)
    #expect(counted["statistics"]?["recordsScanned"]?.number == 10)
    let found = try await run("fields n | filter level = 'ERROR' and n > 4 | sort n desc | limit 2")
    let rows = found["results"]?.array ?? []
    #expect(rows.map { $0.array?.first?["value"]?.string } == ["9", "7"])
    let pointer = try #require(rows.first?.array?.last)
    #expect(pointer["field"]?.string == "@ptr")
    let record = try await logs.ask("GetLogRecord", "{\"logRecordPointer\":\"\(pointer["value"]?.string ?? "")\"}")
    #expect(record["logRecord"]?["n"]?.string == "9" && record["logRecord"]?["@logStream"]?.string == "s")
    let fields = try await logs.ask("GetLogGroupFields", #"{"logGroupName":"g"}"#)["logGroupFields"]?.array ?? []
    #expect(fields.contains(.members(("name", .string("level")), ("percent", .integer(100)))))
    let bad = try await logs.call(
      "StartQuery", #"{"logGroupName":"g","startTime":1,"endTime":2,"queryString":"fields @message |\n nonsense"}"#)
    #expect(bad.code == "MalformedQueryException")
    #expect(bad.message == "unexpected symbol found: nonsense at line 2 and position 2")
    #expect(
      bad.body["queryCompileError"]?["location"]
        == .members(("startCharOffset", .integer(19)), ("endCharOffset", .integer(27))))
    #expect(
      try await logs.ask("DescribeQueries", #"{"logGroupName":"g","maxResults":1}"#)["queries"]?.array?.count == 1)
    let id = try #require(
      try await logs.ask("DescribeQueries", "{}")["queries"]?.array?.first?["queryId"]?.string)
    let ended = try await logs.call("StopQuery", "{\"queryId\":\"\(id)\"}")
    #expect(ended.code == "InvalidParameterException")
  }

  @Test func queriesAreSaved() async throws {
    let logs = try LogsFixture()
    let put = try await logs.ask("PutQueryDefinition", #"{"name":"mine","queryString":"limit 1"}"#)
    let id = try #require(put["queryDefinitionId"]?.string)
    let shown = try await logs.ask("DescribeQueryDefinitions", #"{"queryDefinitionNamePrefix":"mi"}"#)
    #expect(shown["queryDefinitions"]?.array?.first?["queryString"]?.string == "limit 1")
    let gone = try await logs.ask("DeleteQueryDefinition", "{\"queryDefinitionId\":\"\(id)\"}")
    #expect(gone["success"]?.bool == true)
    #expect(
      try await logs.call("DeleteQueryDefinition", "{\"queryDefinitionId\":\"\(id)\"}").code
        == "ResourceNotFoundException")
  }

  @Test func liveTailsAreRefusedForWhatIsNotThere() async throws {
    let logs = try LogsFixture()
    #expect(
      try await logs.call("StartLiveTail", #"{"logGroupIdentifiers":["no"]}"#).code == "ResourceNotFoundException")
    try await logs.makeStream()
    let answer = try await logs.call("StartLiveTail", #"{"logGroupIdentifiers":["g"]}"#)
    #expect(answer.status == 200 && answer.stream != nil)
    let both = try await logs.call(
      "StartLiveTail", #"{"logGroupIdentifiers":["g"],"logStreamNames":["a"],"logStreamNamePrefixes":["b"]}"#)
    #expect(both.code == "InvalidParameterException")
  }
}
