// TagResource: adds tags to a function or another resource, or gives them new values.
// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
import MartletCore
import MartletWire

extension Lambda {
  enum TagResource: Operation {
    static let route = Route.rest("Lambda.TagResource", .post, "/2017-03-31/tags/{Resource}", status: 204)

    struct Input: Readable {
      let resource: String
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        resource = r.taggedResource()
        let m = try r.smallBody("TagResource")
        tags = m.requiredMap("Tags", keys: Tags.keyConstraints, values: Tags.valueConstraints)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let resource = try TaggedResource(input.resource, call, lambda, "TagResource")
      guard !input.tags.isEmpty else { throw .noTags() }
      let limits = lambda.limits
      try Tags.check(input.tags, limits)
      try await resource.change { (old) throws(AWSError) in
        let merged = Tags.merge(old, input.tags)
        try Tags.check(merged, limits)
        return merged
      }
      return Empty()
    }
  }
}
