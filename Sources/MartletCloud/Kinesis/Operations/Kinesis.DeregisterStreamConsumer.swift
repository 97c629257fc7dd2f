// DeregisterStreamConsumer: takes a consumer away from its stream.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DeregisterStreamConsumer.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DeregisterStreamConsumer: Operation {
    static let route = Route.target("Kinesis.DeregisterStreamConsumer")

    struct Input: Readable {
      let consumer: ConsumerReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        consumer = ConsumerReference(m)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (found, consumer) = try input.consumer.find(call, kinesis)
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        stream.consumers.removeAll { $0.name == consumer.name && $0.created == consumer.created }
      }
      return Empty()
    }
  }
}
