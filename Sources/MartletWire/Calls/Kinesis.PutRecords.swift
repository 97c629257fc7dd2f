// The face of Kinesis's PutRecords: several records in one transaction.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
import MartletCore

extension Kinesis {
  package enum PutRecords: Shape {
    package static let route = Route.target("Kinesis.PutRecords")

    package struct Input: Readable, Sendable {
      package let stream: StreamReference
      package let records: [Outgoing]
      package let isDryRun: Bool

      package init(stream: StreamReference, records: [Outgoing]) {
        self.stream = stream
        self.records = records
        isDryRun = false
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        records = m.requiredObjects("Records", count: 1...Kinesis.largestBatch).map { Outgoing($0) }
        isDryRun = m.bool("DryRun") ?? false
      }
    }

    package struct Output: Writable, Sendable {
      package let placed: [Placed]
      package let encryption: String

      package init(placed: [Placed], encryption: String) {
        self.placed = placed
        self.encryption = encryption
      }

      package func write(to w: inout Writer) {
        w.body { w in
          w.member("FailedRecordCount", 0)
          w.list("Records", placed) { $1.write(to: &$0) }
          w.member("EncryptionType", encryption)
        }
      }
    }
  }
}
