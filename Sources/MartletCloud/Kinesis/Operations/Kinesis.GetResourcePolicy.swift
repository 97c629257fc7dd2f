// GetResourcePolicy: the policy of a stream.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetResourcePolicy.html
import MartletCore
import MartletWire

extension Kinesis {
  enum GetResourcePolicy: Operation {
    static let route = Route.target("Kinesis.GetResourcePolicy")

    struct Input: Readable {
      let resource: KinesisResource

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = KinesisResource(m)
      }
    }

    struct Output: Writable {
      let policy: String

      func write(to w: inout Writer) { w.body { $0.member("Policy", policy) } }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (stream, isConsumer) = try input.resource.find(call, kinesis)
      guard !isConsumer, let policy = stream.policy else { throw .kinesisNoPolicy(input.resource.arn) }
      return Output(policy: policy)
    }
  }
}
