// DescribeStreamConsumer: a consumer of a stream.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeStreamConsumer.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DescribeStreamConsumer: Operation {
    static let route = Route.target("Kinesis.DescribeStreamConsumer")

    struct Input: Readable {
      let consumer: ConsumerReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        consumer = ConsumerReference(m)
      }
    }

    struct Output: Writable {
      let stream: KinesisStream
      let consumer: KinesisConsumer

      func write(to w: inout Writer) {
        w.body { w in
          w.object("ConsumerDescription") { w in
            consumer.write(to: &w, of: stream)
            w.member("StreamARN", stream.arn)
          }
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (stream, consumer) = try input.consumer.find(call, kinesis)
      return Output(stream: stream, consumer: consumer)
    }
  }
}
