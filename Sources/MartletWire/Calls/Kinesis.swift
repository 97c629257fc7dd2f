// Amazon Kinesis Data Streams: the words that its callers and its embedded implementation share.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/Welcome.html
import MartletCore
import NIOCore

/// The namespace of the operations, which are answered in MartletCloud.
package enum Kinesis {
  package static let namePattern = Pattern("[a-zA-Z0-9_.-]+")
  package static let streamPattern = Pattern(#"arn:aws.*:kinesis:.*:\d{12}:stream/\S+"#)
  package static let idPattern = Pattern("[a-z0-9]{20}-[a-z0-9]{3}")
  package static let hashPattern = Pattern(#"^(0|([1-9]\d{0,38}))$"#)
  package static let sequencePattern = Pattern(#"^(0|([1-9]\d{0,128}))$"#)
  /// Records of one PutRecords.
  package static let largestBatch = 500
}

extension Kinesis {
  /// Which stream is meant: a name, an ARN, or both.
  package struct StreamReference: Sendable, Hashable {
    package let name: String?
    package let arn: String?

    package init(name: String? = nil, arn: String? = nil) {
      self.name = name
      self.arn = arn
    }

    /// - Parameter isNamed: false for the operations that only have the ARN.
    package init(_ m: Members, isNamed: Bool = true) {
      name = isNamed ? m.string("StreamName", .length(1, 128), .pattern(Kinesis.namePattern)) : nil
      arn = m.string("StreamARN", .length(1, 2048), .pattern(Kinesis.streamPattern))
      // For future use, as the model says.
      _ = m.string("StreamId", .length(1, 24), .pattern(Kinesis.idPattern))
    }
  }

  /// A record on its way to a stream.
  package struct Outgoing: Sendable {
    package let data: ByteBuffer
    /// nil = AWS chooses the shard, which some streams want.
    package let partitionKey: String?
    /// Decimal digits; instead of the hash of the key.
    package let explicitHash: String?

    package init(data: ByteBuffer, partitionKey: String?, explicitHash: String? = nil) {
      self.data = data
      self.partitionKey = partitionKey
      self.explicitHash = explicitHash
    }

    init(_ m: Members) {
      data = m.requiredBlob("Data")
      partitionKey = m.string("PartitionKey", .length(1, 256))
      explicitHash = m.string("ExplicitHashKey", .pattern(Kinesis.hashPattern))
    }
  }

  /// Where a record is.
  package struct Placed: Sendable, Equatable {
    package let shard: String
    package let sequence: String

    package init(shard: String, sequence: String) {
      self.shard = shard
      self.sequence = sequence
    }

    func write(to w: inout MemberWriter) {
      w.member("SequenceNumber", sequence)
      w.member("ShardId", shard)
    }
  }
}
