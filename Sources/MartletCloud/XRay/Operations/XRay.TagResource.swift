// TagResource: adds tags to a group or a sampling rule, or gives them new values.
// https://docs.aws.amazon.com/xray/latest/api/API_TagResource.html
import MartletCore
import MartletWire

extension XRay {
  enum TagResource: Operation {
    static let route = Route.rest("XRay.TagResource", .post, "/TagResource")

    struct Input: Readable {
      let resource: String
      let tags: [XRayTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("ResourceARN", .length(1, 1011))
        tags = m.xrayTags(isRequired: true)
      }
    }

    typealias Output = XRayNothing

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      try await xray.changeTags(of: input.resource, call) { tags throws(AWSError) in
        tags = try XRayTag.merge(input.tags, into: tags)
      }
      return Output()
    }
  }
}
