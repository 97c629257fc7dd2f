// Amazon Simple Queue Service: the words that its callers and its embedded implementation share.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
import MartletCore
import NIOCore

/// The namespace of the operations, which are answered in MartletCloud or at a remote endpoint.
package enum SQS {
  /// Entries of a batch, and messages of one receive.
  package static let largestBatch = 10
}

extension SQS {
  /// Which queue is meant: its URL in any of the forms that clients have, or what is left of it.
  package struct QueueReference: Sendable, Hashable {
    /// As it was given.
    package let url: String
    package let name: String
    /// nil = the caller's.
    package let account: Account?
    /// nil = the caller's.
    package let region: Region?

    /// `http://host/account/name`, `https://sqs.region.amazonaws.com/account/name`,
    /// `http://host/queue/region/account/name`, `http://region.queue.host/account/name`, `/account/name`, or a name alone.
    package init(url: String) {
      self.url = url
      var rest = url[...]
      var host: Substring?
      if let mark = url.firstRange(of: "://") {
        rest = url[mark.upperBound...]
        host = rest.prefix { $0 != "/" && $0 != ":" }
        rest = rest.drop { $0 != "/" }
      }
      let segments = rest.prefix { $0 != "?" }.split(separator: "/").map { Percent.decode($0) }
      name = segments.last ?? ""
      account = segments.count > 1 ? Account(segments[segments.count - 2]) : nil
      let labels = host?.split(separator: ".") ?? []
      if segments.count == 4, segments[0] == "queue" {
        region = Region(segments[1])
      } else if labels.count > 2, labels[0] == "sqs" {
        region = Region(labels[1])
      } else if labels.count > 2, labels[1] == "queue" {
        region = Region(labels[0])
      } else {
        region = nil
      }
    }

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

    /// The queue's key for a caller who is at `place`.
    package func key(for place: Place) -> ResourceKey {
      ResourceKey(place: Place(account: account ?? place.account, region: region ?? place.region), name: name)
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

    /// Bytes that it adds to the message.
    package var size: Int { name.utf8.count + type.utf8.count + (string?.utf8.count ?? binary?.count ?? 0) }

    package func write(to w: inout MemberWriter) {
      w.member("StringValue", string)
      w.blob("BinaryValue", binary)
      w.member("DataType", type)
    }

    /// The MD5 of several, as SDKs compute it. nil of none.
    /// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
    package static func digest(_ attributes: [Attribute]) -> String? {
      guard !attributes.isEmpty else { return nil }
      var bytes: [UInt8] = []
      func append(_ part: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt32(part.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: part)
      }
      for attribute in attributes.sorted(by: { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }) {
        append(attribute.name.utf8)
        append(attribute.type.utf8)
        if let binary = attribute.binary, attribute.string == nil {
          bytes.append(2)
          append(binary)
        } else {
          bytes.append(1)
          append((attribute.string ?? "").utf8)
        }
      }
      return bytes.withUnsafeBytes { Digest.md5($0) }
    }
  }

  /// A message on its way to a queue.
  package struct Outgoing: Sendable {
    package var body: String
    /// Seconds; nil = the queue's.
    package var delay: Int?
    package var attributes: [Attribute] = []
    /// Of these there is one: `AWSTraceHeader`.
    package var systemAttributes: [Attribute] = []
    package var deduplicationID: String?
    package var groupID: String?

    package init(body: String) { self.body = body }

    init(_ m: Members) {
      body = m.sqsRequired("MessageBody")
      delay = m.sqsInteger("DelaySeconds")
      attributes = m.sqsAttributes("MessageAttributes")
      systemAttributes = m.sqsAttributes("MessageSystemAttributes")
      deduplicationID = m.text("MessageDeduplicationId")
      groupID = m.text("MessageGroupId")
    }
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

  /// What became of a batch, entry by entry.
  package struct BatchResult<Done: Sendable>: Sendable {
    package var successful: [(id: String, done: Done)] = []
    package var failed: [(id: String, error: AWSError)] = []

    package init() {}

    func write(to w: inout MemberWriter, _ write: (inout MemberWriter, Done) -> Void) {
      w.list("Successful", successful) { w, entry in
        w.member("Id", entry.id)
        write(&w, entry.done)
      }
      w.list("Failed", failed) { w, entry in
        w.member("Id", entry.id)
        w.member("SenderFault", entry.error.status < 500)
        w.member("Code", SQS.queryCodes[entry.error.code] ?? entry.error.code)
        w.member("Message", entry.error.message)
      }
    }
  }
}

// SQS has words of its own for what is missing or wrong.
extension Members {
  package func sqsRequired(_ name: String) -> String {
    if !contains(name) { refuse(.sqsMissing(name)) }
    return text(name) ?? ""
  }

  package func sqsInteger(_ name: String) -> Int? { integer(name, in: Int.min...Int.max) }

  package func sqsAttributes(_ name: String) -> [SQS.Attribute] {
    (structures(name) ?? []).map { key, m in
      SQS.Attribute(
        name: key, type: m.text("DataType") ?? "", string: m.text("StringValue"),
        binary: m.blob("BinaryValue").map { Array($0.readableBytesView) })
    }
  }

  /// The entries of a batch, with their ids. What is wrong with the batch as a whole refuses the request.
  /// - Parameter kind: as AWS calls an entry.
  package func sqsEntries(_ kind: String) -> [(id: String, m: Members)] {
    let entries = (objects("Entries") ?? []).map { ($0.sqsRequired("Id"), $0) }
    if entries.isEmpty { refuse(.sqsEmptyBatch(kind)) }
    if entries.count > SQS.largestBatch { refuse(.sqsTooManyEntries(entries.count)) }
    var seen: Set<String> = []
    for (id, _) in entries {
      if !SQS.isEntryID(id) { refuse(.sqsInvalidEntryID()) }
      if !seen.insert(id).inserted { refuse(.sqsRepeatedEntryID(id)) }
    }
    return entries
  }
}

extension Reader {
  /// The queue that is meant: the member `QueueUrl`, or the path that a client of the query protocol posts to.
  package func queue(_ m: Members) -> SQS.QueueReference {
    if let url = m.text("QueueUrl"), !url.isEmpty { return SQS.QueueReference(url: url) }
    let reference = SQS.QueueReference(url: String(request.path))
    if !isText || reference.account == nil { m.refuse(.sqsMissing("QueueUrl")) }
    return reference
  }
}

extension SQS {
  /// Letters, digits, hyphens and underscores, up to 80.
  static func isEntryID(_ id: String) -> Bool {
    (1...80).contains(id.utf8.count)
      && id.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
  }
}
