// Amazon Simple Queue Service: the words that its callers need.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
import MartletCore

/// The namespace of the operations, which are answered in MartletCloud or at a remote endpoint.
package enum SQS {}

extension SQS {
  /// Which queue is meant.
  package struct QueueReference: Sendable, Equatable {
    package let url: String
    package let name: String
    /// nil = the caller's.
    package let account: Account?
    /// nil = the caller's.
    package let region: Region?

    /// `arn:aws:sqs:region:account:name`; nil if it is none.
    package init?(arn text: String) {
      guard let arn = ARN(text), arn.service == "sqs", let account = Account(arn.account),
        let region = Region(arn.region)
      else { return nil }
      self.account = account
      self.region = region
      name = arn.resource
      url = "https://sqs.\(region).amazonaws.com/\(account)/\(arn.resource)"
    }
  }

  /// A value that goes with a message.
  package struct Attribute: Sendable, Equatable {
    package var name: String
    /// `String`, `Number` or `Binary`, with anything after a dot.
    package var type: String
    package var string: String?
    package var binary: [UInt8]?

    package init(name: String, type: String, string: String? = nil, binary: [UInt8]? = nil) {
      self.name = name
      self.type = type
      self.string = string
      self.binary = binary
    }
  }

  /// A message on its way to a queue.
  package struct Outgoing: Sendable {
    package var body: String
    package var attributes: [Attribute] = []
    /// Of these there is one: `AWSTraceHeader`.
    package var systemAttributes: [Attribute] = []

    package init(body: String) { self.body = body }
  }

  /// What became of a message that was sent.
  package struct Sent: Sendable {
    package let id: String
    package let bodyDigest: String
    package let attributesDigest: String?
    package let systemAttributesDigest: String?
    /// Of FIFO queues.
    package let sequenceNumber: String?

    package init(
      id: String, bodyDigest: String, attributesDigest: String?, systemAttributesDigest: String?,
      sequenceNumber: String?
    ) {
      self.id = id
      self.bodyDigest = bodyDigest
      self.attributesDigest = attributesDigest
      self.systemAttributesDigest = systemAttributesDigest
      self.sequenceNumber = sequenceNumber
    }

    func write(to w: inout MemberWriter) {
      w.member("MD5OfMessageBody", bodyDigest)
      w.member("MD5OfMessageAttributes", attributesDigest)
      w.member("MD5OfMessageSystemAttributes", systemAttributesDigest)
      w.member("MessageId", id)
      w.member("SequenceNumber", sequenceNumber)
    }
  }
}
