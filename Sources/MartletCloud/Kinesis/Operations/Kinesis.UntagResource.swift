// UntagResource: takes tags away from a stream or from a consumer.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UntagResource.html
import MartletCore
import MartletWire

extension Kinesis {
  enum UntagResource: Operation {
    static let route = Route.target("Kinesis.UntagResource")

    struct Input: Readable {
      let resource: KinesisResource
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = KinesisResource(m)
        keys = m.requiredStrings("TagKeys", count: 1...50, each: [.length(1, 128)])
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      try await input.resource.changeTags(call, kinesis) { (tags: [KinesisTags.Tag]) throws(AWSError) in
        tags.filter { !input.keys.contains($0.key) }
      }
      return Empty()
    }
  }
}
