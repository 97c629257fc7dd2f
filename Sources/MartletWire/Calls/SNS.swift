// Amazon Simple Notification Service: the words that its callers and its embedded implementation share.
// https://docs.aws.amazon.com/sns/latest/api/welcome.html
import MartletCore
import NIOCore

/// The namespace of the operations, which are answered in MartletCloud.
package enum SNS {
  /// Entries of a batch.
  package static let largestBatch = 10
}

extension SNS {
  /// A value that goes with a message.
  package struct Attribute: Sendable, Equatable {
    package let name: String
    /// `String`, `String.Array`, `Number` or `Binary`, with anything after a dot.
    package let type: String
    package let string: String?
    package let binary: [UInt8]?

    package init(name: String, type: String, string: String? = nil, binary: [UInt8]? = nil) {
      self.name = name
      self.type = type
      self.string = string
      self.binary = binary
    }

    package init(name: String, type: String, value: String) { self.init(name: name, type: type, string: value) }

    /// Bytes that it adds to the message.
    package var size: Int { name.utf8.count + type.utf8.count + (string?.utf8.count ?? binary?.count ?? 0) }
  }

  /// A message on its way to a topic.
  package struct Outgoing: Sendable {
    package var message: String
    package var subject: String?
    /// `json`: the message is an object with a text for each protocol.
    package var structure: String?
    package var attributes: [Attribute] = []
    package var deduplicationID: String?
    package var groupID: String?

    package init(message: String) { self.message = message }

    init(_ m: Members) {
      message = m.required("Message")
      subject = m.text("Subject")
      structure = m.text("MessageStructure")
      deduplicationID = m.text("MessageDeduplicationId")
      groupID = m.text("MessageGroupId")
      attributes = (m.structures("MessageAttributes") ?? []).map { key, m in
        Attribute(
          name: key, type: m.required("DataType"), string: m.text("StringValue"),
          binary: m.blob("BinaryValue").map { Array($0.readableBytesView) })
      }
    }
  }

  /// What became of a message that was published.
  package struct Published: Sendable {
    package let id: String
    /// Of FIFO topics.
    package let sequenceNumber: String?

    package init(id: String, sequenceNumber: String? = nil) {
      self.id = id
      self.sequenceNumber = sequenceNumber
    }

    func write(to w: inout MemberWriter) {
      w.member("MessageId", id)
      w.member("SequenceNumber", sequenceNumber)
    }
  }
}
