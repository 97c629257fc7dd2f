// DecreaseStreamRetentionPeriod: keeps the records of a stream for a shorter time.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DecreaseStreamRetentionPeriod.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DecreaseStreamRetentionPeriod: Operation {
    static let route = Route.target("Kinesis.DecreaseStreamRetentionPeriod")

    typealias Input = IncreaseStreamRetentionPeriod.Input

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      guard Kinesis.retentions.contains(input.hours) else { throw .kinesisRetention(input.hours) }
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        guard input.hours <= stream.retention else {
          throw .kinesisRetention(input.hours, of: stream, isIncrease: false)
        }
        stream.retention = input.hours
      }
      kinesis.trim()
      return Empty()
    }
  }
}
