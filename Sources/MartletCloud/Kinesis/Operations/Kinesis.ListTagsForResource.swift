// ListTagsForResource: the tags of a stream or of a consumer.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListTagsForResource.html
import MartletCore
import MartletWire

extension Kinesis {
  enum ListTagsForResource: Operation {
    static let route = Route.target("Kinesis.ListTagsForResource")

    struct Input: Readable {
      let resource: KinesisResource

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = KinesisResource(m)
      }
    }

    struct Output: Writable {
      let tags: [KinesisTags.Tag]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
        }
      }
    }

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let (stream, isConsumer) = try input.resource.find(call, kinesis)
      guard isConsumer else { return Output(tags: stream.tags) }
      return Output(tags: stream.consumers.first { $0.arn(of: stream) == input.resource.arn }?.tags ?? [])
    }
  }
}
