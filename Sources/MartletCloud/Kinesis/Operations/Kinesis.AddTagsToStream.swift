// AddTagsToStream: tags of a stream; of one that is there the value is replaced.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_AddTagsToStream.html
import MartletCore
import MartletWire

extension Kinesis {
  enum AddTagsToStream: Operation {
    static let route = Route.target("Kinesis.AddTagsToStream")

    struct Input: Readable {
      let stream: StreamReference
      let tags: [KinesisTags.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        tags = m.kinesisTags(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        stream.tags = try KinesisTags.merge(stream.tags, input.tags)
      }
      return Empty()
    }
  }
}
