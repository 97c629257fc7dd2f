// What each kind of target gets: an invocation, a message, a record, a log event, or the event on another bus.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
import MartletCore
import MartletWire
import NIOCore

extension EventBridgeService {
  func call(_ arn: ARN, _ delivery: EventDelivery) throws(AWSError) -> Call {
    guard let account = Account(arn.account), let region = Region(arn.region) else {
      throw .eventsInvalid(arn.description, "Provided Arn is not in correct format.")
    }
    return Call(
      requestID: delivery.requestID, place: Place(account: account, region: region),
      caller: .service("events.amazonaws.com"), host: "localhost", traceHeader: delivery.traceHeader)
  }

  func send(_ delivery: EventDelivery) async throws(AWSError) {
    guard let arn = ARN(delivery.target) else {
      throw .eventsInvalid(delivery.target, "Provided Arn is not in correct format.")
    }
    let call = try call(arn, delivery)
    switch arn.service {
    case "lambda":
      _ = try await door.call(
        Lambda.InvokeEvent.self, .init(function: delivery.target, payload: ByteBuffer(string: delivery.payload)), call)
    case "sqs": try await send(delivery.payload, to: delivery.target, group: delivery.messageGroup, call)
    case "sns":
      _ = try await door.call(SNS.Publish.self, .init(topic: delivery.target, message: delivery.payload), call)
    case "events": try await pass(delivery, to: arn, call)
    case "kinesis":
      let record = Kinesis.Outgoing(
        data: ByteBuffer(string: delivery.payload),
        partitionKey: delivery.partitionKey ?? delivery.requestID.description)
      _ = try await door.call(
        Kinesis.PutRecord.self, .init(stream: .init(arn: delivery.target), record: record), call)
    case "logs": try await writeLog(delivery, in: arn, call)
    default: throw .notImplemented("an EventBridge target of the service \(arn.service)")
    }
  }

  func send(
    _ body: String, to queue: String, group: String? = nil, attributes: [SQS.Attribute] = [], _ call: Call
  ) async throws(AWSError) {
    guard let reference = SQS.QueueReference(arn: queue) else {
      throw .eventsInvalid(queue, "Provided Arn is not in correct format.")
    }
    var message = SQS.Outgoing(body: body)
    message.groupID = group
    message.attributes = attributes
    message.systemAttributes =
      call.traceHeader.map { [.init(name: "AWSTraceHeader", type: "String", string: $0)] } ?? []
    _ = try await door.call(SQS.SendMessage.self, .init(queue: reference, message: message), call)
  }

  /// To another bus.
  private func pass(_ delivery: EventDelivery, to arn: ARN, _ call: Call) async throws(AWSError) {
    let key = BusReference(arn.description).key(call)
    _ = try bus(key)
    guard delivery.chain < EventBridge.longestChain else {
      throw .eventsInvalid("The event has been on \(delivery.chain + 1) event buses.")
    }
    guard let event = BusEvent(text: delivery.event, time: delivery.time) else {
      throw .eventsInvalid("The event is damaged.")
    }
    try await take([Arrival(event: event, bus: key, trace: delivery.traceHeader, chain: delivery.chain + 1)])
  }

  /// Into a log group: every event has a stream of its own there, whose name all attempts share.
  private func writeLog(_ delivery: EventDelivery, in arn: ARN, _ call: Call) async throws(AWSError) {
    guard let entry = EventLogEntry(delivery) else {
      throw .eventsInvalid("The input for a log group must be an object with a timestamp and a message.")
    }
    let group = RuleTarget.logGroup(arn)
    let stream = delivery.requestID.description
    do throws(AWSError) {
      _ = try await door.call(Logs.CreateLogStream.self, .init(group: group, stream: stream), call)
    } catch {
      if error.code != "ResourceAlreadyExistsException" { throw error }
    }
    let put = try await door.call(
      Logs.PutLogEvents.self, .init(group: group, stream: stream, message: entry.message, time: entry.time), call)
    if put.rejected != nil {
      throw .eventsInvalid("The log group takes no event of that time.")
    }
  }
}
