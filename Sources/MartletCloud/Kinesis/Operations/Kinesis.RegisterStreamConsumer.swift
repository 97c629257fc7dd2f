// RegisterStreamConsumer: a consumer with throughput of its own.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html
import MartletCore
import MartletWire

extension Kinesis {
  enum RegisterStreamConsumer: Operation {
    static let route = Route.target("Kinesis.RegisterStreamConsumer")

    struct Input: Readable {
      let stream: StreamReference
      let name: String
      let tags: [KinesisTags.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = m.requiredStreamARN()
        name = m.required("ConsumerName", .length(1, 128), .pattern(Kinesis.namePattern))
        tags = m.kinesisTags(isRequired: false)
      }
    }

    struct Output: Writable {
      let stream: KinesisStream
      let consumer: KinesisConsumer

      func write(to w: inout Writer) {
        w.body { $0.object("Consumer") { consumer.write(to: &$0, of: stream) } }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      let now = kinesis.now
      let tags = try KinesisTags.merge([], input.tags)
      let (stream, consumer) = try await kinesis.change(found.key) {
        (stream: inout KinesisStream) throws(AWSError) -> (KinesisStream, KinesisConsumer) in
        guard !stream.consumers.contains(where: { $0.name == input.name }) else {
          throw .kinesisInUse(
            "Consumer \(input.name) under stream \(stream.key.name) already exists for account "
              + "\(stream.key.place.account).")
        }
        guard stream.consumers.count < Kinesis.mostConsumers else {
          throw .kinesisLimit("Stream \(stream.key.name) cannot have more than \(Kinesis.mostConsumers) consumers.")
        }
        var consumer = KinesisConsumer(name: input.name, created: now / 1000)
        consumer.tags = tags
        stream.consumers.append(consumer)
        return (stream, consumer)
      }
      return Output(stream: stream, consumer: consumer)
    }
  }
}
