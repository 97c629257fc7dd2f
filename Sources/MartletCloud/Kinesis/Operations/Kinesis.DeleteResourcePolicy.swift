// DeleteResourcePolicy: takes the policy of a stream away.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DeleteResourcePolicy.html
import MartletCore
import MartletWire

extension Kinesis {
  enum DeleteResourcePolicy: Operation {
    static let route = Route.target("Kinesis.DeleteResourcePolicy")

    struct Input: Readable {
      let resource: KinesisResource

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = KinesisResource(m)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (found, isConsumer) = try input.resource.find(call, kinesis)
      guard !isConsumer, found.policy != nil else { throw .kinesisNoPolicy(input.resource.arn) }
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in stream.policy = nil }
      return Empty()
    }
  }
}
