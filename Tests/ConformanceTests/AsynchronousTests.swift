// What Invoke with InvocationType=Event and InvokeAsync say before anything runs.
import MartletCore
import MartletLambda
import MartletWire
import NIOHTTP1
import Synchronization
import Testing

@Suite struct AsynchronousTests {
  private let lambda: LambdaFixture
  private let event: HTTPHeaders = ["X-Amz-Invocation-Type": "Event"]
  private let old = "/2014-11-13/functions/f/invoke-async"

  init() throws { lambda = try LambdaFixture() }

  private func uri(_ name: String) -> String { "/2015-03-31/functions/\(name)/invocations" }

  @Test func eventsAreAccepted() async throws {
    try await lambda.make()
    let answer = try await lambda.call(.POST, uri("f"), #"{"a":1}"#, headers: event)
    #expect(answer.status == 202 && answer.body == .null)
    #expect(try await lambda.call(.POST, uri("f:$LATEST"), "", headers: event).status == 202)
    // InvokeAsync
    #expect(try await lambda.call(.POST, old, "{}").status == 202)
    #expect(lambda.events.census.waiting == 3)
  }

  // MARK: - Who is told

  /// What services were told.
  private final class Letters: Sendable {
    let queue = Mutex<[SQS.SendMessage.Input]>([])
    let topic = Mutex<[SNS.Publish.Input]>([])
    let bus = Mutex<[EventBridge.PutEvents.Entry]>([])
    let places = Mutex<[Place]>([])
  }

  /// Sends one event to `f`, which may not run, and waits for its end.
  private func give(_ letters: Letters, refusals: Int = 0) async throws {
    let left = Mutex(refusals)
    lambda.door.offer(SQS.SendMessage.self) { (input, call) async throws(AWSError) in
      let isRefused = left.withLock { left in
        left -= 1
        return left >= 0
      }
      if isRefused { throw AWSError("ServiceUnavailable", status: 503, "Later.") }
      letters.queue.withLock { $0.append(input) }
      letters.places.withLock { $0.append(call.place) }
      return .init(
        sent: .init(
          id: "m", bodyDigest: "", attributesDigest: nil, systemAttributesDigest: nil, sequenceNumber: nil))
    }
    lambda.door.offer(SNS.Publish.self) { (input, _) async throws(AWSError) in
      letters.topic.withLock { $0.append(input) }
      return .init(.init(id: "m"))
    }
    lambda.door.offer(EventBridge.PutEvents.self) { (input, _) async throws(AWSError) in
      letters.bus.withLock { $0 += input.entries }
      return .init(results: input.entries.map { _ in .put(id: "e") })
    }
    let reserved = try await lambda.call(
      .PUT, "/2017-10-31/functions/f/concurrency", #"{"ReservedConcurrentExecutions":0}"#)
    try #require(reserved.status == 200)
    let loop = Task { await lambda.events.run() }
    #expect(try await lambda.call(.POST, uri("f"), #"{"a":  1}"#, headers: event).status == 202)
    for _ in 0...refusals { _ = await lambda.alarms.move(patience: .seconds(300)) { $0 + .seconds(300) } }
    lambda.events.stop()
    await loop.value
    #expect(lambda.events.census.waiting == 0)
  }

  private func configure(_ kind: String, _ arn: String) async throws {
    let answer = try await lambda.call(
      .PUT, "/2019-09-25/functions/f/event-invoke-config",
      #"{"DestinationConfig":{"\#(kind)":{"Destination":"\#(arn)"}}}"#)
    try #require(answer.status == 200, "\(answer.message)")
  }

  @Test func deadLettersBearTheirAttributes() async throws {
    try await lambda.make("f", #","DeadLetterConfig":{"TargetArn":"arn:aws:sqs:us-east-1:111111111111:dead"}"#)
    let letters = Letters()
    try await give(letters)
    let letter = try #require(letters.queue.withLock { $0.first })
    #expect(letters.queue.withLock { $0.count } == 1)
    #expect(letter.message.body == #"{"a":  1}"#, "byte by byte")
    #expect(letter.queue.name == "dead" && letter.queue.account == lambda.place.account)
    #expect(letter.message.attributes.map(\.name) == ["RequestID", "ErrorCode", "ErrorMessage"])
    #expect(letter.message.attributes.map(\.type) == ["String", "Number", "String"])
    #expect(letter.message.attributes[1].string == "429")
    #expect(letter.message.systemAttributes.map(\.name) == ["AWSTraceHeader"])
    #expect(letters.places.withLock { $0 } == [lambda.place])
  }

  @Test func deadLettersAndDestinationsBothGetTheirs() async throws {
    try await lambda.make("f", #","DeadLetterConfig":{"TargetArn":"arn:aws:sns:us-east-1:111111111111:dead"}"#)
    try await configure("OnFailure", "arn:aws:sqs:eu-west-1:222222222222:records")
    let letters = Letters()
    try await give(letters)
    let letter = try #require(letters.topic.withLock { $0.first })
    #expect(letter.topic == "arn:aws:sns:us-east-1:111111111111:dead" && letter.outgoing.message == #"{"a":  1}"#)
    #expect(letter.outgoing.attributes.map(\.name) == ["RequestID", "ErrorCode", "ErrorMessage"])
    let sent = try #require(letters.queue.withLock { $0.first })
    let record = try JSONValue(parsing: sent.message.body)
    #expect(record.members?.map(\.name) == ["version", "timestamp", "requestContext", "requestPayload"])
    let context = try #require(record["requestContext"])
    #expect(
      context["condition"]?.string == "ZeroReservedConcurrency" && context["approximateInvokeCount"]?.integer == 0)
    #expect(context["functionArn"]?.string == "\(LambdaFixture.arn):$LATEST")
    #expect(context["requestId"]?.string == letter.outgoing.attributes[0].string)
    #expect(letters.places.withLock { $0.map(\.region.name) } == ["eu-west-1"] && sent.message.attributes.isEmpty)
  }

  @Test func busesGetEvents() async throws {
    try await lambda.make()
    let bus = "arn:aws:events:us-east-1:111111111111:event-bus/results"
    try await configure("OnFailure", bus)
    let letters = Letters()
    try await give(letters)
    let entry = try #require(letters.bus.withLock { $0.first })
    #expect(entry.source == "lambda" && entry.detailType == "Lambda Function Invocation Result - Failure")
    #expect(entry.resources == [bus, "\(LambdaFixture.arn):$LATEST"] && entry.bus == bus)
    #expect(try JSONValue(parsing: entry.detail)["version"]?.string == "1.0")
  }

  @Test func whoeverIsAwayIsToldLater() async throws {
    try await lambda.make()
    try await configure("OnFailure", "arn:aws:sqs:us-east-1:111111111111:records")
    let letters = Letters()
    try await give(letters, refusals: 4)
    #expect(letters.queue.withLock { $0.count } == 1)
    #expect(lambda.events.counts.delivered == 1 && lambda.events.counts.deliveryFailures == 0)
    #expect(lambda.events.counts.zeroReservedConcurrency == 1, "the event itself ended once")
  }

  @Test func whatIsNotBuiltIsCounted() async throws {
    try await lambda.make()
    try await configure("OnFailure", "arn:aws:s3:::bucket")
    try await give(Letters())
    #expect(lambda.events.counts.deliveryFailures == 1 && lambda.events.counts.delivered == 0)
  }

  /// A function that is being created takes events already.
  @Test func pendingFunctionsTakeEvents() async throws {
    try #require(try await lambda.create().status == 201)
    #expect(try await lambda.call(.POST, uri("f"), "{}", headers: event).status == 202)
  }

  @Test func whatIsWrongIsSaidAtOnce() async throws {
    try await lambda.make()
    for (name, arn) in [("g", ":g:$LATEST"), ("f:1", ":f:1"), ("f:live", ":f:live")] {
      lambda.expect(
        try await lambda.call(.POST, uri(name), "{}", headers: event), 404, "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:111111111111:function\(arn)")
    }
    let broken = try await lambda.call(.POST, uri("f"), "{", headers: event)
    #expect(broken.status == 400 && broken.code == "InvalidRequestContentException")
    let large = "\"\(String(repeating: "x", count: 1_048_575))\""
    lambda.expect(
      try await lambda.call(.POST, uri("f"), large, headers: event), 413, "RequestTooLargeException",
      "Request must be smaller than 1048576 bytes for the InvokeFunction operation")
    #expect(try await lambda.call(.POST, old, "\"\(String(repeating: "x", count: 262_143))\"").status == 413)
    #expect(lambda.events.census.waiting == 0, "what is refused is not kept")
    let largest = "\"\(String(repeating: "x", count: 1_048_574))\""
    #expect(try await lambda.call(.POST, uri("f"), largest, headers: event).status == 202)
  }
}
