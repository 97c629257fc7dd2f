// RemoveTagsFromStream: takes tags away from a stream.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RemoveTagsFromStream.html
import MartletCore
import MartletWire

extension Kinesis {
  enum RemoveTagsFromStream: Operation {
    static let route = Route.target("Kinesis.RemoveTagsFromStream")

    struct Input: Readable {
      let stream: StreamReference
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        keys = m.requiredStrings("TagKeys", count: 1...50, each: [.length(1, 128)])
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        stream.tags.removeAll { input.keys.contains($0.key) }
      }
      return Empty()
    }
  }
}
