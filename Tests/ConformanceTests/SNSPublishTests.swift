// Publishing: refusals in AWS's words, order and retries of deliveries, and that each ends exactly once.
import MartletCore
import MartletWire
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct SNSPublishTests {
  private let topic = ("TopicArn", SNSFixture.topic)

  private func fixture(fifo: [(String, String)]? = nil) async throws -> SNSFixture {
    let sns = try SNSFixture()
    let form =
      fifo.map { [("Name", "t.fifo")] + SNSFixture.attributes([("FifoTopic", "true")] + $0) } ?? [("Name", "t")]
    #expect(try await sns.call("CreateTopic", form).status == 200)
    return sns
  }

  private func attribute(_ name: String, _ type: String, _ member: String, _ value: String) -> [(String, String)] {
    let entry = "MessageAttributes.entry.1"
    return [("\(entry).Name", name), ("\(entry).Value.DataType", type), ("\(entry).Value.\(member)", value)]
  }

  @Test func messagesAreChecked() async throws {
    let sns = try await fixture()
    let large = String(repeating: "x", count: 262_145)
    let cases: [([(String, String)], String)] = [
      ([("Message", "")], "Empty message"), ([("Message", large)], "Message too long"),
      ([("Message", "m"), ("Subject", "")], "Subject"), ([("Message", "m"), ("Subject", "a\nb")], "Subject"),
      ([("Message", "m"), ("Subject", String(repeating: "s", count: 101))], "Subject"),
      ([("Message", "m"), ("Subject", "é")], "Subject"),
      ([("Message", "m"), ("MessageStructure", "xml")], "MessageStructure"),
      ([("Message", "m"), ("MessageStructure", "json")], "Message Structure - JSON message body failed to parse"),
      (
        [("Message", #"{"sqs":"x"}"#), ("MessageStructure", "json")],
        "Message Structure - No default entry in JSON message body"
      ),
      (
        [("Message", "m"), ("MessageDeduplicationId", "d")],
        "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"
      ),
      (
        [("Message", "m"), ("MessageGroupId", "a b")],
        "MessageGroupId Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length"
      ),
    ]
    for (form, message) in cases {
      let answer = try await sns.call("Publish", [topic] + form)
      #expect(
        answer.code == "InvalidParameter" && answer.message == "Invalid parameter: \(message)", "\(answer.message)")
    }
    #expect(
      try await sns.call("Publish", [("Message", "m")]).message
        == "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter")
    #expect(try await sns.call("Publish", [("TargetArn", SNSFixture.topic), ("Message", "m")]).status == 200)
    #expect(try await sns.call("Publish", [("PhoneNumber", "+1"), ("Message", "m")]).status == 501)
    #expect(
      try await sns.call("Publish", [("TargetArn", "\(SNSFixture.topic):endpoint/x"), ("Message", "m")]).status == 501)
  }

  @Test func messageAttributesAreChecked() async throws {
    let sns = try await fixture()
    let cases: [([(String, String)], String)] = [
      (
        attribute(".a", "String", "StringValue", "v"),
        "Invalid message attribute name starting with character '.' was found."
      ),
      (
        attribute("a.", "String", "StringValue", "v"),
        "Invalid message attribute name ending with character '.' was found."
      ),
      (
        attribute("a..b", "String", "StringValue", "v"), "Message attribute name can not have successive '.' character."
      ),
      (
        attribute("a b", "String", "StringValue", "v"),
        "Invalid non-alphanumeric character '#x20' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."
      ),
      (
        attribute("a", "Text", "StringValue", "v"),
        "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
      ),
      (
        attribute("a", "Binary", "StringValue", "v"),
        "The message attribute 'a' with type 'Binary' must use field 'Binary'."
      ),
      (
        attribute("a", "String.x", "StringValue", ""),
        "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String.x'."
      ),
    ]
    for (form, message) in cases {
      let answer = try await sns.call("Publish", [topic, ("Message", "m")] + form)
      #expect(answer.code == "ParameterValueInvalid" && answer.message == message, "\(answer.message)")
    }
  }

  private func batch(_ entries: [(String, String)]) -> [(String, String)] {
    entries.enumerated().flatMap { i, entry in
      [
        ("PublishBatchRequestEntries.member.\(i + 1).Id", entry.0),
        ("PublishBatchRequestEntries.member.\(i + 1).Message", entry.1),
      ]
    }
  }

  @Test func batchesArePublishedWholeOrNotAtAll() async throws {
    let sns = try await fixture()
    _ = try await sns.subscribe("sqs", SNSFixture.queue, [("RawMessageDelivery", "true")])
    let large = String(repeating: "x", count: 131_073)
    for (entries, code) in [
      ((0..<11).map { ("e\($0)", "m") }, "TooManyEntriesInBatchRequest"),
      ([("e", "m"), ("e", "m")], "BatchEntryIdsNotDistinct"), ([("e.1", "m")], "InvalidBatchEntryId"),
      ([("a", large), ("b", large)], "BatchRequestTooLong"), ([("a", "m"), ("b", "")], "InvalidParameter"),
    ] {
      let answer = try await sns.call("PublishBatch", [topic] + batch(entries))
      #expect(answer.status == 400 && answer.code == code, "\(answer.text)")
    }
    try await sns.running {
      let answer = try await sns.call("PublishBatch", [topic] + batch([("a", "1"), ("b", "2")]))
      #expect(answer.text.components("<MessageId>") == 2 && answer.text.contains("<Failed></Failed>"))
      await sns.advance(0)
    }
    #expect(sns.sent.withLock { $0.map(\.message.body).sorted() } == ["1", "2"])
  }

  @Test func fifoTopicsDemandGroupsAndKnowWhatTheyHad() async throws {
    let sns = try await fixture(fifo: [("FifoThroughputScope", "MessageGroup")])
    let fifo = ("TopicArn", "\(SNSFixture.topic).fifo")
    #expect(
      try await sns.call("Publish", [fifo, ("Message", "m")]).message
        == "Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
    #expect(
      try await sns.call("Publish", [fifo, ("Message", "m"), ("MessageGroupId", "g")]).message
        == "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )
    _ = try await sns.subscribe("sqs", "\(SNSFixture.queue).fifo", topic: fifo.1)
    try await sns.running {
      var ids: [String?] = []
      for (group, id) in [("g", "1"), ("g", "1"), ("h", "1"), ("g", "2")] {
        let answer = try await sns.call(
          "Publish", [fifo, ("Message", "m"), ("MessageGroupId", group), ("MessageDeduplicationId", id)])
        ids.append(answer.element("MessageId"))
      }
      #expect(ids[0] == ids[1] && Set(ids).count == 3)
      await sns.advance(0)
    }
    let sent = sns.sent.withLock { $0.map(\.message) }
    #expect(sent.map(\.groupID).compactMap(\.self).sorted() == ["g", "g", "h"])
    #expect(sent.allSatisfy { $0.deduplicationID != nil } && sns.service.counts.published == 3)
  }

  /// A message that a queue does not take for a while holds up its group, and no other.
  @Test func aGroupWaitsForItsFirst() async throws {
    let sns = try await fixture(fifo: [("ContentBasedDeduplication", "true")])
    let fifo = ("TopicArn", "\(SNSFixture.topic).fifo")
    _ = try await sns.subscribe("sqs", "\(SNSFixture.queue).fifo", [("RawMessageDelivery", "true")], topic: fifo.1)
    let failures = Mutex(7)
    sns.refuses.withLock {
      $0 = { _ in
        failures.withLock {
          $0 -= 1
          return $0 >= 0
        } ? .service("not now") : nil
      }
    }
    try await sns.running {
      for i in 0..<20 {
        try await sns.call("Publish", [fifo, ("Message", "\(i)"), ("MessageGroupId", "g\(i % 2)")])
      }
      await sns.advance(3600)
    }
    let bodies = sns.sent.withLock { $0.map { ($0.message.groupID ?? "", $0.message.body) } }
    for group in 0..<2 {
      #expect(bodies.filter { $0.0 == "g\(group)" }.map(\.1) == (0..<10).map { "\($0 * 2 + group)" })
    }
  }

  @Test func aFunctionThatIsBusyGetsItLater() async throws {
    let sns = try await fixture()
    _ = try await sns.subscribe("lambda", SNSFixture.function)
    let attempts = Mutex(0)
    sns.refuses.withLock {
      $0 = { _ in
        attempts.withLock {
          $0 += 1
          return $0 <= 8
        } ? AWSError("TooManyRequestsException", status: 429, "busy") : nil
      }
    }
    try await sns.running {
      try await sns.call("Publish", [topic, ("Message", "m")])
      // At once four times, twice after a second, then longer and longer.
      await sns.advance(0)
      #expect(attempts.withLock { $0 } == 4)
      await sns.advance(2)
      #expect(attempts.withLock { $0 } == 6 && sns.invoked.withLock { $0.isEmpty })
      await sns.advance(60)
    }
    #expect(attempts.withLock { $0 } == 9 && sns.invoked.withLock { $0.count } == 1)
    #expect(sns.service.waiting == 0)
  }

  // MARK: - Every delivery ends once

  private struct Endpoint {
    let name: String
    let channel: String
    let arn: String
    let filter: String?
    let hasDeadLetters: Bool
  }

  /// Endpoints that fail now and then, or for ever; filters; dead-letter queues that fail too. Each message ends once
  /// for each subscription.
  @Test(arguments: 1...8) func everyDeliveryEndsOnce(_ seed: Int) async throws {
    let sns = try await fixture()
    let random = Mutex(Dice(seed: UInt64(seed)))
    func roll(_ sides: UInt64) -> UInt64 { random.withLock { $0.next() % sides } }
    var endpoints: [Endpoint] = []
    for i in 0..<8 {
      let isQueue = roll(2) == 0
      let endpoint = Endpoint(
        name: "e\(i)", channel: isQueue ? "sqs" : "lambda",
        arn: isQueue
          ? "arn:aws:sqs:us-east-1:111111111111:e\(i)" : "arn:aws:lambda:us-east-1:111111111111:function:e\(i)",
        filter: roll(2) == 0 ? "x\(roll(3))" : nil, hasDeadLetters: roll(3) != 0)
      endpoints.append(endpoint)
      _ = try await sns.subscribe(
        endpoint.channel, endpoint.arn,
        (endpoint.filter.map { [("FilterPolicy", #"{"a":["\#($0)"]}"#)] } ?? [])
          + (endpoint.hasDeadLetters
            ? [("RedrivePolicy", #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:dead\#(i)"}"#)] : []))
    }
    let broken = Set(endpoints.filter { _ in roll(4) == 0 }.map(\.name))
    sns.refuses.withLock {
      $0 = { name in
        let last = name.split(separator: ":").last.map(String.init) ?? name
        if broken.contains(last) { return AWSError("ResourceNotFoundException", status: 404, "none") }
        return random.withLock { $0.next() % 4 } == 0 ? .service("not now") : nil
      }
    }
    let kinds = (0..<30).map { _ in "x\(roll(3))" }
    try await sns.running {
      for (i, kind) in kinds.enumerated() {
        let answer = try await sns.call(
          "Publish", [topic, ("Message", "m\(i)")] + attribute("a", "String", "StringValue", kind))
        #expect(answer.status == 200)
        if roll(5) == 0 { await sns.advance(Int(roll(100))) }
      }
      await sns.advance(7200)
    }
    #expect(sns.service.waiting == 0)
    var expected = SNSService.Totals(published: 30)
    for endpoint in endpoints {
      let wanted = (0..<30).filter { endpoint.filter == nil || endpoint.filter == kinds[$0] }.map { "m\($0)" }
      expected.filtered += 30 - wanted.count
      let isBroken = broken.contains(endpoint.name)
      if isBroken, endpoint.hasDeadLetters { expected.deadLettered += wanted.count }
      if isBroken, !endpoint.hasDeadLetters { expected.dropped += wanted.count }
      if !isBroken { expected.delivered += wanted.count }
      let queue = isBroken ? "dead\(endpoint.name.dropFirst())" : endpoint.name
      let bodies =
        endpoint.channel == "sqs" || isBroken
        ? sns.sent.withLock { $0.filter { $0.queue == queue }.map(\.message.body) }
        : sns.invoked.withLock { $0.filter { $0.function == endpoint.arn }.map(\.payload) }
      let got = try bodies.map { body in
        let json = try JSONValue(parsing: body)
        return json["Message"]?.string ?? json["Records"]?.array?[0]["Sns"]?["Message"]?.string ?? ""
      }
      #expect(got.sorted() == (isBroken && !endpoint.hasDeadLetters ? [] : wanted.sorted()), "\(endpoint)")
    }
    #expect(sns.service.counts == expected)
  }
}

/// Random numbers that a seed brings back.
private struct Dice {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
