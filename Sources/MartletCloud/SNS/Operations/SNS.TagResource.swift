// TagResource: adds tags to a topic, or changes their values.
// https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum TagResource: Operation {
    static let route = Route.query("SNS.TagResource")

    struct Input: Readable {
      let resource: String
      let tags: [SNSTopic.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("ResourceArn", .length(1, 1011))
        tags = m.snsTags("Tags", isRequired: true)
      }
    }

    struct Output: Writable {
      func write(to w: inout Writer) { w.body { _ in } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let topic = try sns.resource(input.resource, call, "TagResource")
      try SNSTopic.checkTags(input.tags)
      try await sns.topics.change(topic.key) { record throws(AWSError) in
        guard var changed = record else { throw .snsNoResource() }
        changed.tag(input.tags)
        guard changed.tags.count <= SNSTopic.mostTags else { throw .snsTooManyTags() }
        record = changed
      }
      return Output()
    }
  }
}
