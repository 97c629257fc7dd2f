// UpdateStreamMode: whether the shards of a stream are managed by AWS.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateStreamMode.html
import MartletCore
import MartletWire

extension Kinesis {
  enum UpdateStreamMode: Operation {
    static let route = Route.target("Kinesis.UpdateStreamMode")

    struct Input: Readable {
      let stream: StreamReference
      let mode: KinesisStream.Mode?
      let warmThroughput: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = m.requiredStreamARN()
        mode = m.streamMode(isRequired: true)
        warmThroughput = m.integer("WarmThroughputMiBps", in: 0...Int.max)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      guard input.warmThroughput == nil else {
        throw .notImplemented("Kinesis.UpdateStreamMode with WarmThroughputMiBps")
      }
      let found = try kinesis.find(input.stream, call)
      let mode = input.mode ?? .provisioned
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        if mode == .onDemand, stream.mode != .onDemand { try kinesis.checkOnDemandStreams(in: stream.key.place) }
        stream.mode = mode
        if mode == .provisioned { stream.isByKey = true }
      }
      return Empty()
    }
  }
}
