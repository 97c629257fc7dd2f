// DescribeLimits: how many shards and streams an account has and can have.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DescribeLimits.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum DescribeLimits: Operation {
    static let route = Route.target("Kinesis.DescribeLimits")

    typealias Input = Empty

    struct Output: Writable {
      let openShards: Int
      let onDemandStreams: Int

      func write(to w: inout Writer) {
        w.body { w in
          w.member("ShardLimit", Kinesis.mostShards)
          w.member("OpenShardCount", openShards)
          w.member("OnDemandStreamCount", onDemandStreams)
          w.member("OnDemandStreamCountLimit", Kinesis.mostOnDemandStreams)
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let streams = kinesis.streams.list(call.place)
      return Output(
        openShards: streams.reduce(0) { $0 + $1.open.count }, onDemandStreams: streams.count { $0.mode == .onDemand })
    }
  }
}
