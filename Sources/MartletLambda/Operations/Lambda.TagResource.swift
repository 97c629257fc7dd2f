// TagResource: adds tags to a function or a layer, or gives them new values.
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
      let layer = try lambda.taggedLayer(input.resource, call, "TagResource")
      let function = layer == nil ? try lambda.taggedFunction(input.resource, call, "TagResource") : nil
      guard !input.tags.isEmpty else { throw .noTags() }
      let limits = lambda.limits
      try Tags.check(input.tags, limits)
      let merge: Tags.Change = { (old) throws(AWSError) in
        let merged = Tags.merge(old, input.tags)
        try Tags.check(merged, limits)
        return merged
      }
      if let layer { try await lambda.changeTags(layer, merge) }
      if let function { try await lambda.changeTags(function, merge) }
      return Empty()
    }
  }
}
