// UpdateMaxRecordSize: how large the records of a stream may be.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateMaxRecordSize.html
import MartletCore
import MartletWire

extension Kinesis {
  enum UpdateMaxRecordSize: Operation {
    static let route = Route.target("Kinesis.UpdateMaxRecordSize")

    struct Input: Readable {
      let stream: StreamReference
      let size: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m, isNamed: false)
        size = m.requiredInteger("MaxRecordSizeInKiB", in: 1024...10240)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        stream.maxRecordKiB = input.size
      }
      return Empty()
    }
  }
}
