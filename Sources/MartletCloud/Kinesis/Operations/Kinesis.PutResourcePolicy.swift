// PutResourcePolicy: the policy of a stream or of a consumer. Kept; nobody is refused by it yet.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutResourcePolicy.html
import MartletCore
import MartletWire

extension Kinesis {
  enum PutResourcePolicy: Operation {
    static let route = Route.target("Kinesis.PutResourcePolicy")

    struct Input: Readable {
      let resource: KinesisResource
      let policy: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = KinesisResource(m)
        policy = m.required("Policy", .length(nil, nil))
      }
    }

    static let stage = OperationStage.stored

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (found, isConsumer) = try input.resource.find(call, kinesis)
      guard !isConsumer else { throw .notImplemented("Kinesis.PutResourcePolicy of a consumer") }
      guard (try? JSONValue(parsing: input.policy))?.members != nil else {
        throw .kinesisInvalid("The policy is not a JSON object.")
      }
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        stream.policy = input.policy
      }
      return Empty()
    }
  }
}
