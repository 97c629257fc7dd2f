// Kinesis against AWS's model: its table, what every operation demands and refuses, and the members of its answers.
import MartletStore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct KinesisModelTests {
  static let written = KinesisService.rows.filter(\.isWritten).map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(KinesisService.rows.map(\.route.action) == ServiceModel.kinesis.operations.keys.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("Kinesis.") }
        == KinesisService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  @Test func whatIsMissingSaysSo() async throws {
    let kinesis = try KinesisFixture()
    for row in KinesisService.rows where !row.isWritten {
      let answer = try await kinesis.call(row.route.action)
      #expect(answer.status == 501 && answer.code == "NotImplementedException")
      #expect(answer.message.contains(row.route.name))
    }
    #expect(try await kinesis.call("Nonsense").code == "UnknownOperationException")
  }

  @Test(arguments: written) func whatTheModelForbidsIsRefused(_ name: String) async throws {
    let kinesis = try KinesisFixture()
    let operation = try #require(ServiceModel.kinesis.operations[name])
    for violation in ModelWalker.walk(operation, of: .kinesis).violations {
      let body = ModelRequest(operation, of: .kinesis).setting(violation.member, violation.value).body()
      let answer = try await kinesis.call(name, body)
      let isRight: Bool
      switch violation.refusal {
      case .constraint(let text):
        isRight =
          answer.code == "ValidationException"
          && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: \(text)")
      case .values(let values):
        isRight =
          answer.code == "ValidationException"
          && answer.message.contains("at '\(violation.field)' failed to satisfy constraint: Member must satisfy enum")
          && values.allSatisfy { answer.message.contains($0) }
      case .serialization: isRight = answer.code == "SerializationException"
      }
      #expect(
        isRight && answer.status == 400,
        "\(name): \(violation.field) \(violation.kind.rawValue): \(answer.message.prefix(400)) for \(body.prefix(300))")
    }
  }

  @Test(arguments: written) func whatTheModelAllowsIsNoViolation(_ name: String) async throws {
    let kinesis = try KinesisFixture()
    let operation = try #require(ServiceModel.kinesis.operations[name])
    var bodies = [false, true].map {
      ModelRequest(operation, of: .kinesis, all: $0).body([.init("NoSuchMember", .null)])
    }
    for boundary in ModelWalker.walk(operation, of: .kinesis).boundaries {
      bodies.append(ModelRequest(operation, of: .kinesis).setting(boundary.member, boundary.value).body())
    }
    for body in bodies {
      let answer = try await kinesis.call(name, body)
      #expect(
        !answer.message.contains("failed to satisfy constraint") && answer.code != "SerializationException",
        "\(name): \(answer.message.prefix(400)) for \(body.prefix(300))")
      // The model leaves out what any operation may say.
      let known = Set(
        operation.errors + ["ValidationException", "InvalidArgumentException", "NotImplementedException"])
      #expect(answer.status == 200 || known.contains(answer.code), "\(name): \(answer.code)")
      let members = Set((answer.status == 200 ? answer.body.members ?? [] : []).map(\.name))
      #expect(members.isSubset(of: operation.output), "\(name): \(members)")
    }
  }

  @Test func answersHaveTheModelsMembers() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    try await kinesis.put("x")
    let arn = "arn:aws:kinesis:us-east-1:111111111111:stream/s"
    let iterator = try await kinesis.iterator("TRIM_HORIZON")
    for (name, body, wanted) in [
      ("DescribeStream", #"{"StreamName":"s"}"#, ["StreamDescription"]),
      ("DescribeStreamSummary", #"{"StreamARN":"\#(arn)"}"#, ["StreamDescriptionSummary"]),
      ("ListStreams", "{}", ["StreamNames", "HasMoreStreams", "StreamSummaries"]),
      ("ListShards", #"{"StreamName":"s"}"#, ["Shards"]),
      ("GetRecords", #"{"ShardIterator":"\#(iterator)"}"#, ["Records", "NextShardIterator", "MillisBehindLatest"]),
      ("ListTagsForStream", #"{"StreamName":"s"}"#, ["Tags", "HasMoreTags"]),
      ("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#, ["Tags"]),
      ("RegisterStreamConsumer", #"{"StreamARN":"\#(arn)","ConsumerName":"c"}"#, ["Consumer"]),
      ("DescribeStreamConsumer", #"{"StreamARN":"\#(arn)","ConsumerName":"c"}"#, ["ConsumerDescription"]),
      ("ListStreamConsumers", #"{"StreamARN":"\#(arn)"}"#, ["Consumers"]),
      (
        "EnableEnhancedMonitoring", #"{"StreamName":"s","ShardLevelMetrics":["ALL"]}"#,
        ["StreamName", "CurrentShardLevelMetrics", "DesiredShardLevelMetrics", "StreamARN"]
      ),
      (
        "DisableEnhancedMonitoring", #"{"StreamName":"s","ShardLevelMetrics":["IncomingBytes"]}"#,
        ["StreamName", "CurrentShardLevelMetrics", "DesiredShardLevelMetrics", "StreamARN"]
      ),
      (
        "UpdateShardCount", #"{"StreamName":"s","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING"}"#,
        ["StreamName", "StreamARN", "CurrentShardCount", "TargetShardCount"]
      ),
      (
        "DescribeLimits", "{}", ["ShardLimit", "OpenShardCount", "OnDemandStreamCount", "OnDemandStreamCountLimit"]
      ),
    ] {
      let found = try await kinesis.done(name, body)
      #expect(found.members?.map(\.name) == wanted, "\(name)")
    }
  }
}
