// DeleteStream: a stream with all of its records.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DeleteStream.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum DeleteStream: Operation {
    static let route = Route.target("Kinesis.DeleteStream")

    struct Input: Readable {
      let stream: StreamReference
      let withConsumers: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        withConsumers = m.bool("EnforceConsumerDeletion") ?? false
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      let store = try await kinesis.streams.change(found.key) { record throws(AWSError) -> Int64 in
        guard let stream = record else { throw .kinesisNoStream(found.key) }
        guard input.withConsumers || stream.consumers.isEmpty else {
          throw .kinesisInUse(
            "Stream \(stream.key.name) under account \(stream.key.place.account) has registered consumers; "
              + "set EnforceConsumerDeletion to delete them with it.")
        }
        record = nil
        return stream.store
      }
      kinesis.clear(store)
      return Empty()
    }
  }
}
