// A message as it lies on disk, and what receivers get of it.
import MartletCore
import MartletWire
import NIOCore

final class StoredMessage: Sendable {
  let sequence: Int64
  let id: String
  let body: String
  let bodyDigest: String
  /// Milliseconds since 1970.
  let sent: Int64
  let sender: String
  let group: String?
  let deduplicationID: String?
  let attributes: [SQS.Attribute]
  let trace: String?
  /// The ARN of the queue that gave it up.
  let source: String?

  init(
    sequence: Int64, id: String, body: String, bodyDigest: String, sent: Int64, sender: String, group: String? = nil,
    deduplicationID: String? = nil, attributes: [SQS.Attribute] = [], trace: String? = nil, source: String? = nil
  ) {
    self.sequence = sequence
    self.id = id
    self.body = body
    self.bodyDigest = bodyDigest
    self.sent = sent
    self.sender = sender
    self.group = group
    self.deduplicationID = deduplicationID
    self.attributes = attributes
    self.trace = trace
    self.source = source
  }

  /// Bytes as SQS counts them.
  var size: Int { body.utf8.count + attributes.reduce(0) { $0 + $1.size } }

  /// About how much memory it takes.
  var weight: Int { body.utf8.count + attributes.reduce(400) { $0 + $1.size + 100 } }

  /// What is kept of it beside the columns of its row.
  var details: String {
    var json = JSONWriter()
    json.object { json in
      json.name("id")
      json.value(id)
      json.name("md5")
      json.value(bodyDigest)
      json.name("sender")
      json.value(sender)
      for (name, value) in [("deduplication", deduplicationID), ("trace", trace), ("source", source)] {
        guard let value else { continue }
        json.name(name)
        json.value(value)
      }
      guard !attributes.isEmpty else { return }
      json.name("attributes")
      json.array(attributes) { json, attribute in
        json.object { json in
          json.name("n")
          json.value(attribute.name)
          json.name("t")
          json.value(attribute.type)
          json.name(attribute.string == nil ? "b" : "s")
          json.value(attribute.string ?? Base64.encode(attribute.binary ?? []))
        }
      }
    }
    return json.text
  }

  /// - Throws: a `Fault` if `details` are not what this type writes.
  convenience init(sequence: Int64, sent: Int64, group: String?, body: String, details text: String) throws(Fault) {
    guard let details = try? JSONValue(parsing: text), let id = details["id"]?.string,
      let digest = details["md5"]?.string
    else { throw Fault("read a message", "message \(sequence) is damaged") }
    let attributes = (details["attributes"]?.array ?? []).map { attribute in
      SQS.Attribute(
        name: attribute["n"]?.string ?? "", type: attribute["t"]?.string ?? "", string: attribute["s"]?.string,
        binary: attribute["b"]?.string.flatMap { Base64.decode($0) }.map { Array($0.readableBytesView) })
    }
    self.init(
      sequence: sequence, id: id, body: body, bodyDigest: digest, sent: sent, sender: details["sender"]?.string ?? "",
      group: group, deduplicationID: details["deduplication"]?.string, attributes: attributes,
      trace: details["trace"]?.string, source: details["source"]?.string)
  }

  /// The same message in another queue.
  func moved(sequence: Int64, id: String, sent: Int64, source: String?) -> StoredMessage {
    StoredMessage(
      sequence: sequence, id: id, body: body, bodyDigest: bodyDigest, sent: sent, sender: sender, group: group,
      deduplicationID: deduplicationID, attributes: attributes, trace: trace, source: source)
  }

  /// As FIFO queues number their messages: twenty digits that grow.
  static func number(_ sequence: Int64) -> String {
    let digits = String(sequence)
    return "1885" + String(repeating: "0", count: max(0, 16 - digits.count)) + digits
  }

  /// What a receiver gets.
  func message(_ delivery: QueueStateMachine.Delivery, receipt: String, _ input: SQS.ReceiveMessage.Input)
    -> SQS.Message
  {
    var message = SQS.Message(id: id, receipt: receipt, body: body, bodyDigest: bodyDigest)
    var system = [
      ("SenderId", sender), ("ApproximateFirstReceiveTimestamp", String(delivery.firstReceived)),
      ("ApproximateReceiveCount", String(delivery.receives)), ("SentTimestamp", String(sent)),
    ]
    if let group { system.append(("MessageGroupId", group)) }
    if let deduplicationID {
      system.append(("SequenceNumber", StoredMessage.number(sequence)))
      system.append(("MessageDeduplicationId", deduplicationID))
    }
    if let trace { system.append(("AWSTraceHeader", trace)) }
    if let source { system.append(("DeadLetterQueueSourceArn", source)) }
    let isAll = input.systemNames.contains("All")
    message.system = system.filter { pair in isAll || input.systemNames.contains(pair.0) }
      .map { (key: $0.0, value: $0.1) }
    message.attributes = attributes.filter { attribute in
      input.names.contains { wanted in
        wanted == "All" || wanted == ".*" || wanted == attribute.name
          || (wanted.hasSuffix(".*") && attribute.name.hasPrefix(wanted.dropLast(2)))
      }
    }
    return message
  }
}
