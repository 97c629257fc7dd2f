// What a message may look like, with AWS's words for what it may not.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
import MartletCore
import MartletWire

enum MessageRules {
  private static let longestName = 256
  private static let longestSubject = 100

  /// ASCII that can be seen, up to 100 characters, beginning with none that is a blank.
  static func isSubject(_ text: String) -> Bool {
    guard let first = text.utf8.first, first > 32 else { return false }
    return text.utf8.count <= longestSubject && text.utf8.allSatisfy { (32...126).contains($0) }
  }

  static func check(_ attributes: [SNS.Attribute]) throws(AWSError) {
    for attribute in attributes {
      try checkName(attribute.name)
      try checkValue(attribute)
    }
  }

  private static func checkName(_ name: String) throws(AWSError) {
    guard !name.isEmpty else { throw .snsInvalidValue("Invalid Empty message attribute name.") }
    guard name.utf8.count <= longestName else {
      throw .snsInvalidValue("Length of message attribute name must be less than 256 bytes.")
    }
    guard !name.hasPrefix(".") else {
      throw .snsInvalidValue("Invalid message attribute name starting with character '.' was found.")
    }
    guard !name.hasSuffix(".") else {
      throw .snsInvalidValue("Invalid message attribute name ending with character '.' was found.")
    }
    for scalar in name.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": continue
      default:
        let code = String(scalar.value, radix: 16, uppercase: true)
        throw .snsInvalidValue(
          "Invalid non-alphanumeric character '#x\(code)' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
      }
    }
    guard !name.contains("..") else {
      throw .snsInvalidValue("Message attribute name can not have successive '.' character.")
    }
  }

  private static func checkValue(_ attribute: SNS.Attribute) throws(AWSError) {
    let (name, type) = (attribute.name, attribute.type)
    let kind = type.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard ["String", "Number", "Binary"].contains(kind.first ?? ""), kind.count == 1 || !kind[1].isEmpty,
      type.utf8.count <= longestName
    else {
      throw .snsInvalidValue(
        "The message attribute '\(name)' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
      )
    }
    let isBinary = kind[0] == "Binary"
    guard isBinary ? attribute.binary != nil : attribute.string != nil else {
      throw .snsInvalidValue(
        "The message attribute '\(name)' with type '\(type)' must use field '\(isBinary ? "Binary" : "String")'.")
    }
    guard isBinary ? attribute.binary?.isEmpty == false : attribute.string?.isEmpty == false else {
      throw .snsInvalidValue(
        "The message attribute '\(name)' must contain non-empty message attribute value for message attribute type '\(type)'."
      )
    }
  }

  static func checkGroup(_ outgoing: SNS.Outgoing, _ topic: SNSTopic) throws(AWSError) {
    if topic.isFIFO, outgoing.groupID == nil {
      throw .snsInvalid("The MessageGroupId parameter is required for FIFO topics")
    }
    if !topic.isFIFO, outgoing.deduplicationID != nil {
      throw .snsInvalid(
        "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"
      )
    }
    for (name, id) in [("MessageGroupId", outgoing.groupID), ("MessageDeduplicationId", outgoing.deduplicationID)] {
      guard let id else { continue }
      guard (1...128).contains(id.utf8.count), id.utf8.allSatisfy({ (33...126).contains($0) }) else {
        throw .snsInvalid(
          "\(name) Reason: \(name) can only include alphanumeric and punctuation characters. 1 to 128 in length")
      }
    }
  }

  /// The texts of a message that has one for each protocol. What is no text is left out.
  static func texts(_ message: String) throws(AWSError) -> [String: String] {
    guard let members = (try? JSONValue(parsing: message))?.members else {
      throw .snsInvalid("Message Structure - JSON message body failed to parse")
    }
    let texts = Dictionary(
      members.compactMap { member in member.value.string.map { (member.name, $0) } }, uniquingKeysWith: { $1 })
    guard texts["default"] != nil else {
      throw .snsInvalid("Message Structure - No default entry in JSON message body")
    }
    return texts
  }
}

extension SNS.Outgoing {
  /// Bytes that count towards the limit.
  var size: Int { message.utf8.count + attributes.reduce(0) { $0 + $1.size } }
}
