// DescribeStreamSummary: a stream without its shards.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeStreamSummary.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DescribeStreamSummary: Operation {
    static let route = Route.target("Kinesis.DescribeStreamSummary")

    struct Input: Readable {
      let stream: StreamReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
      }
    }

    struct Output: Writable {
      let stream: KinesisStream

      func write(to w: inout Writer) {
        w.body { w in
          w.object("StreamDescriptionSummary") { w in
            stream.write(to: &w)
            w.member("OpenShardCount", stream.open.count)
            w.member("ConsumerCount", stream.consumers.count)
            w.member("MaxRecordSizeInKiB", stream.maxRecordKiB)
            if stream.mode == .onDemand {
              w.member("RecordDistributionStrategy", stream.isByKey ? "USER_PARTITION_KEY" : "AUTO")
            }
          }
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      Output(stream: try kinesis.find(input.stream, call))
    }
  }
}
