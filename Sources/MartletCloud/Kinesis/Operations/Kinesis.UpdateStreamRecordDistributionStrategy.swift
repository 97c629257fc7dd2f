// UpdateStreamRecordDistributionStrategy: whether the partition key chooses the shard of a record.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateStreamRecordDistributionStrategy.html
import MartletCore
import MartletWire

extension Kinesis {
  enum UpdateStreamRecordDistributionStrategy: Operation {
    static let route = Route.target("Kinesis.UpdateStreamRecordDistributionStrategy")

    struct Input: Readable {
      let stream: StreamReference
      let strategy: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = m.requiredStreamARN()
        strategy = m.distributionStrategy(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        guard stream.mode == .onDemand else { throw .kinesisInvalid(Kinesis.strategyNeedsOnDemand) }
        stream.isByKey = input.strategy != "AUTO"
      }
      return Empty()
    }
  }
}
