// UntagResource: takes tags from a group or a sampling rule.
// https://docs.aws.amazon.com/xray/latest/api/API_UntagResource.html
import MartletCore
import MartletWire

extension XRay {
  enum UntagResource: Operation {
    static let route = Route.rest("XRay.UntagResource", .post, "/UntagResource")

    struct Input: Readable {
      let resource: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("ResourceARN", .length(1, 1011))
        keys = m.requiredStrings("TagKeys", count: 0...200, each: [.length(1, 128)])
      }
    }

    typealias Output = XRayNothing

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      try await xray.changeTags(of: input.resource, call) { tags throws(AWSError) in
        tags.removeAll { input.keys.contains($0.key) }
      }
      return Output()
    }
  }
}
