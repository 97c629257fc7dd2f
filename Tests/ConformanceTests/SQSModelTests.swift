// SQS against AWS's model: its table, what every operation demands and refuses, and the codes of its errors.
import MartletCloud
import MartletStore
import MartletWire
import Testing

@Suite struct SQSModelTests {
  static let names = SQSService.rows.map(\.route.action)

  @Test func everyOperationHasOneRow() {
    #expect(SQSModelTests.names == ServiceModel.sqs.operations.keys.sorted())
    #expect(SQSService.rows.filter { !$0.isWritten }.isEmpty)
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("SQS.") } == SQSService.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  private func url() -> JSONValue { .string("http://localhost:4566/111111111111/q") }

  /// A request that has what the model demands, for a queue that is there.
  private func request(_ operation: ModelOperation) -> [JSONValue.Member] {
    operation.input.filter(\.isRequired).map { member in
      if member.name == "QueueUrl" { return .init("QueueUrl", url()) }
      return .init(member.name, ServiceModel.sqs.sample(member.shape))
    }
  }

  @Test(arguments: names) func whatIsRequiredIsDemanded(_ name: String) async throws {
    let sqs = try SQSFixture()
    #expect(try await sqs.call("CreateQueue", #"{"QueueName":"q"}"#).status == 200)
    let operation = try #require(ServiceModel.sqs.operations[name])
    for member in operation.input where member.isRequired {
      let body = request(operation).filter { $0.name != member.name }
      let answer = try await sqs.call(name, .object(body))
      let isBatch = member.name == "Entries"
      #expect(answer.status == 400, "\(name) without \(member.name)")
      #expect(
        answer.code == (isBatch ? "EmptyBatchRequest" : "MissingRequiredParameterException"),
        "\(name) without \(member.name): \(answer.message)")
      if !isBatch { #expect(answer.message == "The request must contain the parameter \(member.name).") }
      #expect(answer.header("x-amzn-query-error")?.hasSuffix(";Sender") == true)
    }
  }

  @Test(arguments: names) func otherTypesAreRefused(_ name: String) async throws {
    let sqs = try SQSFixture()
    #expect(try await sqs.call("CreateQueue", #"{"QueueName":"q"}"#).status == 200)
    let operation = try #require(ServiceModel.sqs.operations[name])
    for member in operation.input {
      let type = ServiceModel.sqs.shape(member.shape).type
      let wrong: [JSONValue] = type == "string" ? [.integer(1), .object([])] : [.string("x"), .bool(true)]
      for value in wrong {
        let body = request(operation).filter { $0.name != member.name } + [.init(member.name, value)]
        let answer = try await sqs.call(name, .object(body))
        #expect(
          answer.status == 400 && answer.code == "SerializationException", "\(name) \(member.name) \(value.text)")
      }
    }
  }

  @Test func aBodyThatIsNoObjectIsRefused() async throws {
    let sqs = try SQSFixture()
    for body in ["[]", "{", "1", "\"x\"", "{\"QueueName\":}"] {
      let answer = try await sqs.call("CreateQueue", body)
      #expect(answer.status == 400 && answer.code == "SerializationException", "\(body)")
    }
    #expect(try await sqs.call("Nonsense", "{}").code == "UnknownOperationException")
  }

  @Test func everyCodeIsTheModels() {
    let model = Set(ServiceModel.sqs.operations.values.flatMap(\.errors))
    // What the model leaves out, but every service says.
    let common: Set<String> = [
      "InvalidParameterValueException", "MissingRequiredParameterException", "ServiceException",
    ]
    #expect(Set(SQS.queryCodes.keys).subtracting(common).isSubset(of: model))
  }

  @Test func answersHaveTheModelsMembers() async throws {
    let sqs = try SQSFixture()
    func members(_ name: String, _ body: String) async throws -> Set<String> {
      let answer = try await sqs.call(name, body)
      #expect(answer.status == 200, "\(name): \(answer.message)")
      let found = Set((answer.body.members ?? []).map(\.name))
      let known = try #require(ServiceModel.sqs.operations[name]).output
      #expect(found.isSubset(of: known), "\(name): \(found)")
      return found
    }
    let queue = #""QueueUrl":"http://localhost:4566/111111111111/q""#
    #expect(
      try await members("CreateQueue", #"{"QueueName":"q"}"#) == ["QueueUrl"])
    #expect(
      try await members("GetQueueUrl", #"{"QueueName":"q"}"#) == ["QueueUrl"])
    #expect(
      try await members("SendMessage", "{\(queue),\"MessageBody\":\"b\"}") == ["MD5OfMessageBody", "MessageId"])
    #expect(
      try await members("ReceiveMessage", "{\(queue)}") == ["Messages"])
    #expect(
      try await members("ReceiveMessage", "{\(queue)}").isEmpty)
    #expect(
      try await members("ListQueues", "{}") == ["QueueUrls"])
    #expect(
      try await members("ListDeadLetterSourceQueues", "{\(queue)}") == ["queueUrls"])
    #expect(
      try await members("ListQueueTags", "{\(queue)}").isEmpty)
    #expect(
      try await members("GetQueueAttributes", "{\(queue),\"AttributeNames\":[\"All\"]}") == ["Attributes"])
    #expect(
      try await members("PurgeQueue", "{\(queue)}").isEmpty)
    #expect(
      try await members("ListMessageMoveTasks", #"{"SourceArn":"arn:aws:sqs:us-east-1:111111111111:q"}"#) == ["Results"]
    )
  }
}
