// A message of a queue as a function gets it, and the event that is made of several.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
import MartletCore
import MartletWire
import NIOCore

package struct QueueRecord: Sendable {
  package let id: String
  package let receipt: String
  /// Of FIFO queues.
  package let group: String?
  package let traceHeader: String?
  /// Its element of `Records`.
  package let json: ByteBuffer

  /// In AWS's order.
  private static let systemNames = [
    "ApproximateReceiveCount", "AWSTraceHeader", "SentTimestamp", "SequenceNumber", "MessageGroupId", "SenderId",
    "MessageDeduplicationId", "ApproximateFirstReceiveTimestamp", "DeadLetterQueueSourceArn",
  ]

  /// - Parameter queue: the ARN of the mapping.
  package init(_ message: SQS.Message, from queue: ARN) {
    id = message.id
    receipt = message.receipt
    var system = Dictionary(message.system.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    group = system["MessageGroupId"]
    traceHeader = system["AWSTraceHeader"]
    var json = JSONWriter()
    json.object { w in
      w.member("messageId", message.id)
      w.member("receiptHandle", message.receipt)
      w.member("body", message.body)
      w.name("attributes")
      w.object { w in
        for name in QueueRecord.systemNames {
          if let value = system.removeValue(forKey: name) { w.member(name, value) }
        }
        for (name, value) in system.sorted(by: { $0.key < $1.key }) { w.member(name, value) }
      }
      w.name("messageAttributes")
      w.object { w in
        for attribute in message.attributes.sorted(by: { $0.name < $1.name }) {
          w.name(attribute.name)
          w.object { QueueRecord.write(attribute, to: &$0) }
        }
      }
      w.name("md5OfMessageAttributes")
      if let digest = SQS.Attribute.digest(message.attributes) { w.value(digest) } else { w.null() }
      w.member("md5OfBody", message.bodyDigest)
      w.member("eventSource", "aws:sqs")
      w.member("eventSourceARN", queue.description)
      w.member("awsRegion", queue.region)
    }
    self.json = json.buffer
  }

  private static func write(_ attribute: SQS.Attribute, to w: inout JSONWriter) {
    if let string = attribute.string { w.member("stringValue", string) }
    if let binary = attribute.binary { w.member("binaryValue", Base64.encode(binary)) }
    for name in ["stringListValues", "binaryListValues"] {
      w.name(name)
      w.array([JSONValue]()) { $0.value($1) }
    }
    w.member("dataType", attribute.type)
  }

  /// The record as filters see it: a body that is JSON is not a text but what it says.
  package var filtered: JSONValue {
    guard let record = try? JSONValue(parsing: json), let members = record.members else { return .null }
    return .object(
      members.map { member in
        guard member.name == "body", let text = member.value.string, let first = text.utf8.first(where: { $0 > 0x20 }),
          first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let body = try? JSONValue(parsing: text)
        else { return member }
        return .init("body", body)
      })
  }

  // MARK: - Events

  /// Bytes that an event has besides its records, and for each record besides the first.
  package static let frame = (event: 14, record: 1)

  package static func event(_ records: [QueueRecord]) -> ByteBuffer {
    var event = ByteBuffer()
    event.reserveCapacity(records.reduce(frame.event) { $0 + $1.json.readableBytes + frame.record })
    event.writeStaticString("{\"Records\":[")
    for (i, record) in records.enumerated() {
      if i > 0 { event.writeStaticString(",") }
      event.writeImmutableBuffer(record.json)
    }
    event.writeStaticString("]}")
    return event
  }

  /// The trace that an invocation goes on with: of one message its own; of several the one that has come through most
  /// functions, so that no loop hides in a batch.
  static func traceHeader(of records: [QueueRecord]) -> String? {
    guard records.count > 1 else { return records.first?.traceHeader }
    let headers = records.compactMap { record in
      record.traceHeader.flatMap { header in Lineage(header: header).map { (header: header, depth: $0.depth) } }
    }
    return headers.max { $0.depth < $1.depth }?.header
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: String, _ value: String) {
    self.name(name)
    self.value(value)
  }
}
