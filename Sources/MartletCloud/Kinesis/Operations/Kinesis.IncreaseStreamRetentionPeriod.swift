// IncreaseStreamRetentionPeriod: keeps the records of a stream for a longer time.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_IncreaseStreamRetentionPeriod.html
import MartletCore
import MartletWire

extension Kinesis {
  enum IncreaseStreamRetentionPeriod: Operation {
    static let route = Route.target("Kinesis.IncreaseStreamRetentionPeriod")

    struct Input: Readable {
      let stream: StreamReference
      let hours: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        hours = m.requiredInteger("RetentionPeriodHours", in: Int.min...Int.max)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      guard Kinesis.retentions.contains(input.hours) else { throw .kinesisRetention(input.hours) }
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        guard input.hours >= stream.retention else {
          throw .kinesisRetention(input.hours, of: stream, isIncrease: true)
        }
        stream.retention = input.hours
      }
      return Empty()
    }
  }
}
