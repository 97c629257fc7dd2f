// ListTagsForResource: the tags of a group or a sampling rule.
// https://docs.aws.amazon.com/xray/latest/api/API_ListTagsForResource.html
import MartletCore
import MartletWire

extension XRay {
  enum ListTagsForResource: Operation {
    static let route = Route.rest("XRay.ListTagsForResource", .post, "/ListTagsForResource")

    struct Input: Readable {
      let resource: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("ResourceARN", .length(1, 1011))
        _ = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let tags: [XRayTag]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      Output(tags: try xray.tags(of: input.resource, call))
    }
  }
}
