// SNS against AWS's model: its table, every request that the model forbids, and the codes of its errors.
import MartletCloud
import MartletStore
import MartletWire
import Testing

@Suite struct SNSModelTests {
  static let names = SNSService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(SNSService.rows.map(\.route.action) == ServiceModel.sns.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListedAndSaysSo() async throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("SNS.") } == SNSService.rows.filter { $0.stage != .executes }.map(\.route.name))
    let sns = try SNSFixture()
    for row in SNSService.rows where !row.isWritten {
      let answer = try await sns.call(row.route.action)
      #expect(answer.status == 501 && answer.code == "NotImplemented" && answer.message.contains(row.route.name))
    }
  }

  @Test(arguments: names) func whatTheModelForbidsIsRefused(name: String) async throws {
    let sns = try SNSFixture()
    try await CloudModelTests().check(name, .sns) { try await sns.send("Action=\(name)\($0)") }
  }

  /// Every code that a factory makes is one of the model's.
  @Test func codesAreTheModels() async throws {
    let sns = try SNSFixture()
    let known = Set(ServiceModel.sns.errors.values.compactMap(\.code))
    try await sns.call("CreateTopic", [("Name", "t")])
    let topic = ("TopicArn", SNSFixture.topic)
    let calls: [(String, [(String, String)])] = [
      ("CreateTopic", [("Name", "t.fifo")]), ("Publish", [("TopicArn", "x"), ("Message", "m")]),
      (
        "Publish",
        [
          topic, ("Message", "m"), ("MessageAttributes.entry.1.Name", "n"),
          ("MessageAttributes.entry.1.Value.DataType", "X"),
        ]
      ),
      ("Publish", [("TopicArn", "\(SNSFixture.topic)x"), ("Message", "m")]),
      ("PublishBatch", [topic, ("PublishBatchRequestEntries", "")]),
      ("GetSubscriptionAttributes", [("SubscriptionArn", "\(SNSFixture.topic):x")]),
      ("ListTagsForResource", [("ResourceArn", "\(SNSFixture.topic)x")]),
      ("GetTopicAttributes", [("TopicArn", "arn:aws:sns:us-east-1:222222222222:t")]),
    ]
    var codes: [String] = []
    for (action, form) in calls { codes.append(try await sns.call(action, form).code) }
    #expect(
      codes == [
        "InvalidParameter", "InvalidParameter", "ParameterValueInvalid", "NotFound", "EmptyBatchRequest", "NotFound",
        "ResourceNotFound", "AuthorizationError",
      ])
    #expect(Set(codes).isSubset(of: known))
  }
}
