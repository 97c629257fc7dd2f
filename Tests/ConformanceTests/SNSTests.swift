// Topics and subscriptions, and every refusal in AWS's words.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct SNSTests {
  private let topic = ("TopicArn", SNSFixture.topic)

  private func fixture() async throws -> SNSFixture {
    let sns = try SNSFixture()
    #expect(try await sns.call("CreateTopic", [("Name", "t")]).element("TopicArn") == SNSFixture.topic)
    return sns
  }

  @Test func aTopicIsMadeOnce() async throws {
    let sns = try await fixture()
    let settings = SNSFixture.attributes([("DisplayName", "d"), ("KmsMasterKeyId", "k")])
    let tags = [("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")]
    #expect(try await sns.call("CreateTopic", [("Name", "u")] + settings + tags).status == 200)
    #expect(try await sns.call("CreateTopic", [("Name", "u")]).status == 200)
    #expect(try await sns.call("CreateTopic", [("Name", "u")] + settings + tags).status == 200)
    var answer = try await sns.call("CreateTopic", [("Name", "u")] + SNSFixture.attributes([("DisplayName", "e")]))
    #expect(answer.message == "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
    answer = try await sns.call(
      "CreateTopic", [("Name", "u"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "2")])
    #expect(answer.message == "Invalid parameter: Tags Reason: Topic already exists with different tags")
    for name in ["", "a b", "a.fifo", "é", String(repeating: "a", count: 257)] {
      answer = try await sns.call("CreateTopic", [("Name", name)])
      #expect(answer.status == 400 && answer.message == "Invalid parameter: Topic Name", "\(name)")
    }
    answer = try await sns.call("CreateTopic", [("Name", "f")] + SNSFixture.attributes([("FifoTopic", "true")]))
    #expect(answer.message == "Invalid parameter: Topic Name")
    #expect(
      try await sns.call("CreateTopic", [("Name", "f.fifo")] + SNSFixture.attributes([("FifoTopic", "true")])).status
        == 200)
    #expect(try await sns.call("CreateTopic", [("Name", "p"), ("DataProtectionPolicy", "{}")]).status == 501)
  }

  @Test func deletingTakesTheSubscriptionsAlong() async throws {
    let sns = try await fixture()
    _ = try await sns.subscribe("sqs", SNSFixture.queue)
    #expect(try await sns.call("DeleteTopic", [topic]).status == 200)
    #expect(try await sns.call("DeleteTopic", [topic]).status == 200)
    #expect(try await sns.call("Publish", [topic, ("Message", "m")]).message == "Topic does not exist")
    try await sns.call("CreateTopic", [("Name", "t")])
    #expect(try await sns.call("ListSubscriptions").element("Endpoint") == nil)
    #expect(try await sns.call("ListSubscriptionsByTopic", [topic]).element("Endpoint") == nil)
  }

  @Test func attributesAreKeptAndChecked() async throws {
    let sns = try await fixture()
    func set(_ name: String, _ value: String) async throws -> SNSFixture.Answer {
      try await sns.call("SetTopicAttributes", [topic, ("AttributeName", name), ("AttributeValue", value)])
    }
    for (name, value) in [
      ("DisplayName", "Hello"), ("SignatureVersion", "2"), ("TracingConfig", "Active"), ("MaximumMessageSize", "1024"),
      ("SQSSuccessFeedbackSampleRate", "10"), ("Policy", #"{"Statement":[]}"#),
      (
        "DeliveryPolicy",
        #"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":2,"numRetries":3}}}"#
      ),
    ] {
      #expect(try await set(name, value).status == 200, "\(name)")
      let text = try await sns.call("GetTopicAttributes", [topic]).text
      #expect(text.contains("<key>\(name)</key><value>\(value.replacing("\"", with: "&quot;"))</value>"), "\(name)")
    }
    #expect(try await set("DisplayName", "").status == 200)
    for (name, value, message) in [
      ("Nonsense", "1", "AttributeName"), ("SignatureVersion", "3", "SignatureVersion"),
      ("MaximumMessageSize", "1023", "MaximumMessageSize"), ("Policy", "[", "Policy Error: null"),
      ("ContentBasedDeduplication", "true", "Content-based deduplication can only be set for FIFO topics"),
      ("FifoTopic", "true", "FifoTopic"), ("DeliveryPolicy", "{", "DeliveryPolicy: failed to parse JSON."),
    ] {
      let answer = try await set(name, value)
      #expect(answer.code == "InvalidParameter" && answer.message == "Invalid parameter: \(message)", "\(name)")
    }
    #expect(try await set("ArchivePolicy", #"{"MessageRetentionPeriod":1}"#).status == 400)
  }

  @Test func listsComeInPages() async throws {
    let sns = try await fixture()
    for i in 0..<205 {
      try await sns.call("CreateTopic", [("Name", "n\(i)")])
      _ = try await sns.subscribe("sqs", "\(SNSFixture.queue)\(i)")
    }
    for (action, first, member) in [
      ("ListTopics", [], "<TopicArn>"), ("ListSubscriptions", [], "<Endpoint>"),
      ("ListSubscriptionsByTopic", [topic], "<Endpoint>"),
    ] as [(String, [(String, String)], String)] {
      var (counts, token): ([Int], String?) = ([], nil)
      repeat {
        let answer = try await sns.call(action, first + (token.map { [("NextToken", $0)] } ?? []))
        counts.append(answer.text.components(member))
        token = answer.element("NextToken")
      } while token != nil
      #expect(counts == [100, 100, action == "ListTopics" ? 6 : 5], "\(action)")
      #expect(try await sns.call(action, first + [("NextToken", "%")]).message == "Invalid parameter: NextToken")
    }
  }

  @Test func tagsAreSetAndRemoved() async throws {
    let sns = try await fixture()
    let resource = ("ResourceArn", SNSFixture.topic)
    func tag(_ tags: [(String, String)]) async throws -> SNSFixture.Answer {
      try await sns.call(
        "TagResource",
        [resource]
          + tags.enumerated().flatMap {
            [("Tags.member.\($0 + 1).Key", $1.0), ("Tags.member.\($0 + 1).Value", $1.1)]
          })
    }
    #expect(try await tag([("a", "1"), ("b", "")]).status == 200)
    #expect(try await tag([("a", "2")]).status == 200)
    #expect(try await tag([("a", "1"), ("a", "2")]).message == "Invalid parameter: Duplicated keys are not allowed.")
    #expect(try await tag((0..<49).map { ("k\($0)", "") }).code == "TagLimitExceeded")
    #expect(
      try await sns.call("UntagResource", [resource, ("TagKeys.member.1", "b"), ("TagKeys.member.2", "c")]).status
        == 200)
    let text = try await sns.call("ListTagsForResource", [resource]).text
    #expect(text.contains("<Tags><member><Key>a</Key><Value>2</Value></member></Tags>"))
  }

  @Test func permissionsBecomeStatements() async throws {
    let sns = try await fixture()
    let form = [topic, ("Label", "l"), ("AWSAccountId.member.1", "222222222222"), ("ActionName.member.1", "Publish")]
    #expect(try await sns.call("AddPermission", form).status == 200)
    #expect(try await sns.call("AddPermission", form).message == "Invalid parameter: Statement already exists")
    #expect(
      try await sns.call("AddPermission", [topic, ("Label", "m"), form[2], ("ActionName.member.1", "Fly")]).message
        == "Invalid parameter: Policy statement action out of service scope!")
    var text = try await sns.call("GetTopicAttributes", [topic]).text
    #expect(text.contains("arn:aws:iam::222222222222:root") && text.contains("__default_statement_ID"))
    #expect(try await sns.call("RemovePermission", [topic, ("Label", "l")]).status == 200)
    text = try await sns.call("GetTopicAttributes", [topic]).text
    #expect(!text.contains("222222222222"))
  }

  @Test func dataProtectionIsNone() async throws {
    let sns = try await fixture()
    let resource = ("ResourceArn", SNSFixture.topic)
    #expect(
      try await sns.call("GetDataProtectionPolicy", [resource]).text.contains(
        "<DataProtectionPolicy></DataProtectionPolicy>"))
    #expect(try await sns.call("PutDataProtectionPolicy", [resource, ("DataProtectionPolicy", "{}")]).status == 501)
  }

  // MARK: - Subscriptions

  @Test func endpointsAreChecked() async throws {
    let sns = try await fixture()
    let fifo = "arn:aws:sns:us-east-1:111111111111:t.fifo"
    try await sns.call("CreateTopic", [("Name", "t.fifo")] + SNSFixture.attributes([("FifoTopic", "true")]))
    for (topic, channel, endpoint, message) in [
      (SNSFixture.topic, "carrier-pigeon", "x", "Amazon SNS does not support this protocol string: carrier-pigeon"),
      (SNSFixture.topic, "http", "https://h", "Endpoint must match the specified protocol"),
      (SNSFixture.topic, "http", "http://", "Unable to parse HTTP endpoint"),
      (SNSFixture.topic, "sqs", "http://h/q", "SQS endpoint ARN"),
      (SNSFixture.topic, "lambda", "f", "Lambda endpoint ARN"),
      (SNSFixture.topic, "email", "nobody", "Email address"),
      (
        SNSFixture.topic, "sqs", "\(SNSFixture.queue).fifo",
        "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
      ),
      (
        fifo, "lambda", SNSFixture.function,
        "Protocol Reason: Amazon SNS does not support this protocol for FIFO topics: lambda"
      ),
      ("x", "sqs", SNSFixture.queue, "TopicArn Reason: An ARN must have at least 6 elements, not 1"),
    ] {
      let answer = try await sns.call(
        "Subscribe", [("TopicArn", topic), ("Protocol", channel), ("Endpoint", endpoint)])
      #expect(
        answer.code == "InvalidParameter" && answer.message == "Invalid parameter: \(message)", "\(answer.message)")
    }
    for channel in ["sms", "application", "firehose"] {
      let answer = try await sns.call("Subscribe", [topic, ("Protocol", channel), ("Endpoint", "x")])
      #expect(answer.status == 501, "\(channel)")
    }
    let mail = try await sns.call("Subscribe", [topic, ("Protocol", "email"), ("Endpoint", "a@b")])
    #expect(mail.element("SubscriptionArn") == "pending confirmation")
  }

  @Test func anEndpointHasOneSubscription() async throws {
    let sns = try await fixture()
    let arn = try await sns.subscribe("sqs", SNSFixture.queue, [("RawMessageDelivery", "True")])
    #expect(try await sns.subscribe("sqs", SNSFixture.queue) == arn)
    #expect(try await sns.subscribe("sqs", SNSFixture.queue, [("RawMessageDelivery", "true")]) == arn)
    let answer = try await sns.call(
      "Subscribe",
      [topic, ("Protocol", "sqs"), ("Endpoint", SNSFixture.queue)]
        + SNSFixture.attributes([("RawMessageDelivery", "false")]))
    #expect(
      answer.message == "Invalid parameter: Attributes Reason: Subscription already exists with different attributes")
    #expect(try await sns.call("Unsubscribe", [("SubscriptionArn", arn)]).status == 200)
    #expect(try await sns.call("Unsubscribe", [("SubscriptionArn", arn)]).status == 200)
    #expect(try await sns.subscribe("sqs", SNSFixture.queue) != arn)
    let text = try await sns.call("GetTopicAttributes", [topic]).text
    #expect(text.contains("<key>SubscriptionsConfirmed</key><value>1</value>"))
    #expect(text.contains("<key>SubscriptionsDeleted</key><value>1</value>"))
  }

  @Test func subscriptionAttributesAreKeptAndChecked() async throws {
    let sns = try await fixture()
    let arn = ("SubscriptionArn", try await sns.subscribe("sqs", SNSFixture.queue))
    func set(_ name: String, _ value: String) async throws -> SNSFixture.Answer {
      try await sns.call("SetSubscriptionAttributes", [arn, ("AttributeName", name), ("AttributeValue", value)])
    }
    let text = try await sns.call("GetSubscriptionAttributes", [arn]).text
    #expect(text.contains("<key>PendingConfirmation</key><value>false</value>") && !text.contains("FilterPolicy"))
    #expect(try await set("FilterPolicyScope", "MessageBody").status == 200)
    #expect(try await set("FilterPolicy", #"{"a":{"b":["c"]}}"#).status == 200)
    #expect(try await set("RedrivePolicy", #"{"deadLetterTargetArn":"\#(SNSFixture.queue)2"}"#).status == 200)
    let shown = try await sns.call("GetSubscriptionAttributes", [arn]).text
    #expect(shown.contains("<key>FilterPolicyScope</key><value>MessageBody</value>") && shown.contains("RedrivePolicy"))
    for (name, value, message) in [
      ("Nonsense", "", "AttributeName"),
      ("RawMessageDelivery", "1", "RawMessageDelivery: Invalid value [1]. Must be true or false."),
      ("FilterPolicy", "{", "FilterPolicy: failed to parse JSON."),
      (
        "FilterPolicyScope", "Body",
        "FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes"
      ),
      (
        "FilterPolicyScope", "MessageAttributes",
        "FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy"
      ),
      ("RedrivePolicy", "{", "RedrivePolicy: failed to parse JSON."),
      ("RedrivePolicy", "{}", "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
      (
        "RedrivePolicy", #"{"deadLetterTargetArn":"\#(SNSFixture.queue).fifo"}"#,
        "RedrivePolicy: must use a standard queue as DLQ for a standard topic"
      ),
    ] {
      let answer = try await set(name, value)
      #expect(answer.code == "InvalidParameter" && answer.message == "Invalid parameter: \(message)", "\(name)")
    }
    let answer = try await sns.call(
      "Subscribe",
      [topic, ("Protocol", "sqs"), ("Endpoint", "\(SNSFixture.queue)3")]
        + SNSFixture.attributes([("FilterPolicy", #"{"a":[]}"#)]))
    #expect(answer.message == "Invalid parameter: Attributes Reason: FilterPolicy: Empty arrays are not allowed")
    #expect(try await set("FilterPolicy", "").status == 200)
    #expect(
      try await sns.call("GetSubscriptionAttributes", [("SubscriptionArn", "\(SNSFixture.topic):x")]).message
        == "Subscription does not exist")
    #expect(
      try await sns.call("GetSubscriptionAttributes", [("SubscriptionArn", SNSFixture.topic)]).message
        == "Invalid parameter: SubscriptionId")
    #expect(
      try await sns.call("ConfirmSubscription", [topic, ("Token", "none")]).message == "Invalid parameter: Token")
  }

  @Test func othersMayNotTouchATopic() async throws {
    let sns = try await fixture()
    let answer = try await sns.call("Publish", [topic, ("Message", "m")], account: "222222222222")
    #expect(answer.status == 403 && answer.code == "AuthorizationError")
    let other = try await sns.call("Publish", [("TopicArn", "arn:aws:sns:eu-west-1:111111111111:t"), ("Message", "m")])
    #expect(other.message == "Invalid parameter: TopicArn")
  }
}

extension String {
  /// How often a text is in it.
  func components(_ text: String) -> Int { ranges(of: text).count }
}
