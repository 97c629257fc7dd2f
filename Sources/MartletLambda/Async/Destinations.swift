// Where finished events go, and how they get there: a function by the queue itself, everything else by the door.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
import Logging
import MartletCore
import MartletWire
import NIOCore

extension EventTarget {
  /// Who is to be told of an event's end, as the function is configured now.
  static func all(
    of function: FunctionReference, _ condition: EventCondition, _ record: FunctionRecord
  ) -> [EventTarget] {
    let config = record.eventInvokeConfigs[function.qualifier ?? "$LATEST"]
    guard condition != .success else {
      return config?.onSuccess.map { [EventTarget(kind: .destination, arn: $0)] } ?? []
    }
    var targets: [EventTarget] = []
    if let arn = record.deadLetterTarget(of: function.qualifier) { targets.append(.init(kind: .deadLetter, arn: arn)) }
    if let arn = config?.onFailure { targets.append(.init(kind: .destination, arn: arn)) }
    return targets
  }
}

extension FunctionRecord {
  /// Of the version that a qualifier means; of the main one if it is an alias with two.
  fileprivate func deadLetterTarget(of qualifier: String?) -> String? {
    let version = qualifier.flatMap { aliases[$0]?.version ?? VersionName($0) } ?? .latest
    return invocable(version)?.deadLetterTarget
  }
}

extension EventQueue {
  /// What came of telling one target.
  enum Telling {
    case delivered
    /// The record is an event for a function, to be stored when the target is struck off, and not twice therefore.
    case event(StoredEvent)
    /// It will not take it, now or ever: AWS counts that and drops the record.
    case failed
    case later
  }

  func tell(_ target: EventTarget, _ event: StoredEvent) async -> Telling {
    guard let outcome = event.outcome else { return .failed }
    do throws(AWSError) {
      return try await send(target, event, outcome)
    } catch {
      // What is not built will not be there in a minute either.
      let isLasting = error.status == 501 || error.status < 500 && error.status != 429
      let isOver = alarms.world.now() > outcome.ended + RetryPolicy().maximumEventAge
      log.log(
        level: isLasting || isOver ? .error : .notice,
        isLasting || isOver ? "a record could not be delivered" : "a record is delivered later",
        metadata: [
          "function": "\(event.function.arn)", "request": "\(event.requestID)", "target": "\(target.arn)",
          "code": "\(error.code)", "error": "\(error.note ?? error.message)",
        ])
      return isLasting || isOver ? .failed : .later
    }
  }

  private func send(
    _ target: EventTarget, _ event: StoredEvent, _ outcome: EventOutcome
  ) async throws(AWSError) -> Telling {
    guard let arn = ARN(target.arn) else { throw .destinationInvalid(target.arn) }
    let place = event.function.key.place
    let call = Call(
      requestID: RequestID(from: alarms.world),
      place: Place(account: Account(arn.account) ?? place.account, region: Region(arn.region) ?? place.region),
      caller: .service("lambda.amazonaws.com"), host: "localhost", traceHeader: outcome.traceHeader)
    if target.kind == .deadLetter {
      try await bury(event, outcome, target.arn, arn.service, call)
      return .delivered
    }
    let record = InvocationRecord.make(event, outcome)
    switch arn.service {
    case "lambda": return .event(try successor(target.arn, record, call))
    case "sqs":
      try await send(String(buffer: record), to: target.arn, call)
    case "sns":
      _ = try await door.call(SNS.Publish.self, .init(topic: target.arn, message: String(buffer: record)), call)
    case "events": try await put(record, event, outcome, bus: target.arn, call)
    case "s3":
      let key = "aws/lambda/async/\(event.function.key.name)/\(outcome.ended.objectName)-\(call.requestID)"
      _ = try await door.call(
        S3.PutObject.self, .init(bucket: arn.resource, key: key, body: record, type: "application/json"), call)
    default: throw .notImplemented("a destination of the service \(arn.service)")
    }
    return .delivered
  }

  /// As a dead letter: the event itself, with what went wrong as attributes.
  private func bury(
    _ event: StoredEvent, _ outcome: EventOutcome, _ arn: String, _ service: String, _ call: Call
  ) async throws(AWSError) {
    let (letter, attributes) = (String(buffer: event.event), DeadLetters.attributes(event, outcome))
    switch service {
    case "sqs":
      let attributes = attributes.map { SQS.Attribute(name: $0.name, type: $0.type, string: $0.value) }
      try await send(letter, to: arn, attributes: attributes, call)
    case "sns":
      let attributes = attributes.map { SNS.Publish.Attribute(name: $0.name, type: $0.type, value: $0.value) }
      _ = try await door.call(SNS.Publish.self, .init(topic: arn, message: letter, attributes: attributes), call)
    default: throw .notImplemented("a dead-letter queue of the service \(service)")
    }
  }

  /// To a queue, with the trace that goes on from there.
  func send(
    _ body: String, to queue: String, attributes: [SQS.Attribute] = [], _ call: Call
  ) async throws(AWSError) {
    guard let reference = SQS.QueueReference(arn: queue) else { throw .destinationInvalid(queue) }
    var message = SQS.Outgoing(body: body)
    message.attributes = attributes
    message.systemAttributes =
      call.traceHeader.map { [.init(name: "AWSTraceHeader", type: "String", string: $0)] } ?? []
    _ = try await door.call(SQS.SendMessage.self, .init(queue: reference, message: message), call)
  }

  /// As an event of EventBridge, which says of each entry by itself whether it took it.
  private func put(
    _ record: ByteBuffer, _ event: StoredEvent, _ outcome: EventOutcome, bus: String, _ call: Call
  ) async throws(AWSError) {
    let result = outcome.condition == .success ? "Success" : "Failure"
    let entry = EventBridge.PutEvents.Entry(
      source: "lambda", detailType: "Lambda Function Invocation Result - \(result)", detail: String(buffer: record),
      resources: [bus, InvocationRecord.qualifiedARN(event.function)], bus: bus, traceHeader: outcome.traceHeader)
    let output = try await door.call(EventBridge.PutEvents.self, .init(entries: [entry]), call)
    guard case .failed(let code, let message)? = output.results.first else { return }
    let isPassing = ["InternalException", "InternalFailure", "ThrottlingException"].contains(code)
    throw AWSError(code, status: isPassing ? 500 : 400, message)
  }

  /// The record as an event of another function.
  private func successor(
    _ arn: String, _ record: ByteBuffer, _ call: Call
  ) throws(AWSError) -> StoredEvent {
    guard let name = FunctionNameParts(arn) else { throw .destinationInvalid(arn) }
    let function = try name.resolve(qualifier: nil, in: call.place)
    let limit = limits.asynchronousInvokeRequest
    guard record.readableBytes <= limit.bytes else { throw .payloadTooLarge(limit: limit) }
    try line.check(function, tenant: nil)
    return make(
      Invocation(function: function, payload: record, requestID: call.requestID, traceHeader: call.traceHeader))
  }
}

extension Timestamp {
  /// `2026/01/02/2026-01-02T03.04.05`, the middle of a record's key in a bucket.
  fileprivate var objectName: String {
    let text = iso8601Seconds.dropLast().map { $0 == ":" ? "." : String($0) }.joined()
    return "\(logDate)/\(text)"
  }
}
