// ListTagsForStream: the tags of a stream, in the order of their keys.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListTagsForStream.html
import MartletCore
import MartletWire

extension Kinesis {
  enum ListTagsForStream: Operation {
    static let route = Route.target("Kinesis.ListTagsForStream")

    struct Input: Readable {
      let stream: StreamReference
      let after: String?
      let limit: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        after = m.string("ExclusiveStartTagKey", .length(1, 128))
        limit = m.integer("Limit", in: 1...50) ?? 50
      }
    }

    struct Output: Writable {
      let tags: [KinesisTags.Tag]
      let isMore: Bool

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
          w.member("HasMoreTags", isMore)
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let stream = try kinesis.find(input.stream, call)
      let rest = stream.tags.filter { tag in input.after.map { $0 < tag.key } ?? true }
      return Output(tags: Array(rest.prefix(input.limit)), isMore: rest.count > input.limit)
    }
  }
}
