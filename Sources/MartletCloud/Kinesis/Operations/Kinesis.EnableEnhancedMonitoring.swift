// EnableEnhancedMonitoring: which metrics of its shards a stream is to have. Kept; nothing is measured yet.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_EnableEnhancedMonitoring.html
import MartletCore
import MartletWire

extension Kinesis {
  enum EnableEnhancedMonitoring: Operation {
    static let route = Route.target("Kinesis.EnableEnhancedMonitoring")

    struct Input: Readable {
      let stream: StreamReference
      let metrics: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        metrics = m.shardMetrics()
      }
    }

    static let stage = OperationStage.stored

    typealias Output = EnhancedMonitoring

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      let named = Kinesis.shardMetrics(input.metrics)
      return try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) -> Output in
        let before = stream.metrics
        stream.metrics = Kinesis.shardMetrics.filter { before.contains($0) || named.contains($0) }
        return Output(stream: stream, before: before)
      }
    }
  }
}
