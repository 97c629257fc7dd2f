// A message that was checked against its queue and may be sent.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
import MartletCore
import MartletWire

struct Draft: Sendable {
  let outgoing: SQS.Outgoing
  let id: String
  let bodyDigest: String
  /// Of FIFO queues.
  var deduplicationID: String?
  /// Under which it is known for five minutes.
  var deduplicationScope: String?

  private static let mostAttributes = 10
  private static let longestName = 256

  /// - Throws: AWS's words for what is wrong with the message.
  init(_ outgoing: SQS.Outgoing, for queue: SQSQueue, _ world: any World) throws(AWSError) {
    self.outgoing = outgoing
    id = RequestID(from: world).description
    guard !outgoing.body.isEmpty else { throw .sqsMissing("MessageBody") }
    guard Draft.isValid(outgoing.body) else { throw .sqsInvalidContents() }
    try Draft.check(outgoing.attributes)
    try Draft.checkSystem(outgoing.systemAttributes)
    guard outgoing.size <= queue.largestMessage else { throw .sqsTooLong(queue.largestMessage) }
    bodyDigest = Digest.md5(outgoing.body)
    if let delay = outgoing.delay {
      guard (0...900).contains(delay) else {
        throw .sqsInvalid(delay, for: "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
      }
      // Of a FIFO queue only the queue has a delay.
      guard !queue.isFIFO || delay == 0 else { throw .sqsNotForThisType(delay, for: "DelaySeconds") }
      if queue.isFIFO { try checkGroup(queue) }
    }
    try checkGroup(queue)
    if queue.isFIFO {
      guard let id = outgoing.deduplicationID ?? (queue.isContentBased ? Digest.hex(Digest.sha256(outgoing.body)) : nil)
      else {
        throw .sqsInvalid(
          "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )
      }
      deduplicationID = id
      deduplicationScope = queue.isDeduplicatedByGroup ? "\(outgoing.groupID ?? "")\n\(id)" : id
    }
  }

  private func checkGroup(_ queue: SQSQueue) throws(AWSError) {
    if queue.isFIFO, outgoing.groupID == nil { throw .sqsMissing("MessageGroupId") }
    if let id = outgoing.deduplicationID {
      guard queue.isFIFO else { throw .sqsNotForThisType(id, for: "MessageDeduplicationId") }
      guard Draft.isIdentifier(id) else {
        throw .sqsInvalid(
          id, for: "MessageDeduplicationId",
          "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
      }
    }
    if let group = outgoing.groupID, !Draft.isIdentifier(group) {
      throw .sqsInvalid(
        group, for: "MessageGroupId",
        "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
    }
  }

  /// What the sender is answered.
  func sent(id: String, sequence: Int64, isFIFO: Bool) -> SQS.Sent {
    SQS.Sent(
      id: id, bodyDigest: bodyDigest, attributesDigest: SQS.Attribute.digest(outgoing.attributes),
      systemAttributesDigest: SQS.Attribute.digest(outgoing.systemAttributes),
      sequenceNumber: isFIFO ? StoredMessage.number(sequence) : nil)
  }

  // MARK: - Rules

  /// Letters, digits and punctuation of ASCII, up to 128.
  private static func isIdentifier(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (33...126).contains($0) }
  }

  /// The characters of XML 1.0.
  private static func isValid(_ text: String) -> Bool {
    // What is wrong is a control character of ASCII, or one of two that are three bytes long.
    var previous: (UInt8, UInt8) = (0, 0)
    for byte in text.utf8 {
      if byte < 0x20, byte != 9, byte != 10, byte != 13 { return false }
      if previous == (0xef, 0xbf), byte == 0xbe || byte == 0xbf { return false }
      previous = (previous.1, byte)
    }
    return true
  }

  private static func check(_ attributes: [SQS.Attribute]) throws(AWSError) {
    guard attributes.count <= mostAttributes else {
      throw .sqsInvalid(
        "Number of message attributes [\(attributes.count)] exceeds the allowed maximum [\(mostAttributes)].")
    }
    for attribute in attributes {
      let name = attribute.name
      guard (1...longestName).contains(name.utf8.count), !name.hasPrefix("."), !name.hasSuffix("."),
        !name.contains(".."), name.utf8.allSatisfy(isNameByte)
      else {
        throw .sqsInvalid(
          "Message (user) attribute name '\(name)' is invalid: it can contain A-Z, a-z, 0-9, underscore (_), hyphen (-) and period (.), and must not start or end with a period, or have periods in succession, and is up to 256 characters long."
        )
      }
      let lower = name.lowercased()
      guard !lower.hasPrefix("aws."), !lower.hasPrefix("amazon.") else {
        throw .sqsInvalid(
          "Message (user) attribute name '\(name)' must not start with a reserved prefix: AWS. or Amazon.")
      }
      try checkValue(attribute)
    }
  }

  private static func checkValue(_ attribute: SQS.Attribute) throws(AWSError) {
    let (name, type) = (attribute.name, attribute.type)
    guard !type.isEmpty else {
      throw .sqsInvalid("The message attribute '\(name)' must contain non-empty message attribute type.")
    }
    let kind = type.split(separator: ".", maxSplits: 1).first.map(String.init) ?? ""
    guard ["String", "Number", "Binary"].contains(kind), type.utf8.count <= longestName else {
      throw .sqsInvalid(
        "The message attribute '\(name)' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
      )
    }
    guard kind == "Binary" ? attribute.binary?.isEmpty == false : attribute.string?.isEmpty == false else {
      throw .sqsInvalid(
        "The message attribute '\(name)' must contain non-empty message attribute value for message attribute type '\(kind)'."
      )
    }
    guard attribute.string == nil || attribute.binary == nil else {
      throw .sqsInvalid("The message attribute '\(name)' has more than one value.")
    }
    if let string = attribute.string, !isValid(string) { throw .sqsInvalidContents() }
    if kind == "Number", attribute.string.flatMap({ Double($0) }) == nil {
      throw .sqsInvalid("Can't cast the value of message (user) attribute '\(name)' to a number.")
    }
  }

  private static func checkSystem(_ attributes: [SQS.Attribute]) throws(AWSError) {
    for attribute in attributes {
      guard attribute.name == "AWSTraceHeader" else {
        throw .sqsInvalid(
          "Message system attribute name '\(attribute.name)' is invalid.")
      }
      guard attribute.type == "String" else {
        throw .sqsInvalid(
          "The message system attribute 'AWSTraceHeader' has an invalid message system attribute type, the set of supported type prefixes is String."
        )
      }
      guard attribute.string?.isEmpty == false else {
        throw .sqsInvalid(
          "The message system attribute 'AWSTraceHeader' must contain non-empty message system attribute value for message attribute type 'String'."
        )
      }
    }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
    default: false
    }
  }
}

extension SQS.Outgoing {
  /// Bytes that count towards the limit; system attributes do not.
  var size: Int { body.utf8.count + attributes.reduce(0) { $0 + $1.size } }
}
