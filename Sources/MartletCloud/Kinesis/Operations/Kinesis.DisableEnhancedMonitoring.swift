// DisableEnhancedMonitoring: which metrics of its shards a stream is not to have any more. Kept; nothing is measured.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DisableEnhancedMonitoring.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DisableEnhancedMonitoring: Operation {
    static let route = Route.target("Kinesis.DisableEnhancedMonitoring")

    typealias Input = EnableEnhancedMonitoring.Input

    static let stage = OperationStage.stored

    typealias Output = EnhancedMonitoring

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      let named = Kinesis.shardMetrics(input.metrics)
      return try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) -> Output in
        let before = stream.metrics
        stream.metrics = Kinesis.shardMetrics.filter { before.contains($0) && !named.contains($0) }
        return Output(stream: stream, before: before)
      }
    }
  }
}
