// TagResource: tags of a stream or of a consumer.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_TagResource.html
import MartletCore
import MartletWire

extension Kinesis {
  enum TagResource: Operation {
    static let route = Route.target("Kinesis.TagResource")

    struct Input: Readable {
      let resource: KinesisResource
      let tags: [KinesisTags.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = KinesisResource(m)
        tags = m.kinesisTags(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      try await input.resource.changeTags(call, kinesis) { (tags: [KinesisTags.Tag]) throws(AWSError) in
        try KinesisTags.merge(tags, input.tags)
      }
      return Empty()
    }
  }
}
