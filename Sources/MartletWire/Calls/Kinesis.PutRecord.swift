// The face of Kinesis's PutRecord, which EventBridge and CloudWatch Logs call for streams that are their targets.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
import MartletCore

extension Kinesis {
  package enum PutRecord: Shape {
    package static let route = Route.target("Kinesis.PutRecord")

    package struct Input: Readable, Sendable {
      package let stream: StreamReference
      package let record: Outgoing
      package let isDryRun: Bool

      package init(stream: StreamReference, record: Outgoing) {
        self.stream = stream
        self.record = record
        isDryRun = false
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        record = Outgoing(m)
        // Numbers only ever grow here.
        _ = m.string("SequenceNumberForOrdering", .pattern(Kinesis.sequencePattern))
        isDryRun = m.bool("DryRun") ?? false
      }
    }

    package struct Output: Writable, Sendable {
      package let placed: Placed
      /// `NONE` or `KMS`.
      package let encryption: String

      package init(placed: Placed, encryption: String) {
        self.placed = placed
        self.encryption = encryption
      }

      package func write(to w: inout Writer) {
        w.body { w in
          placed.write(to: &w)
          w.member("EncryptionType", encryption)
        }
      }
    }
  }
}
