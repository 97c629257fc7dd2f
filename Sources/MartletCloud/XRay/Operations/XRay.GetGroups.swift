// GetGroups: the groups of the account in the region.
// https://docs.aws.amazon.com/xray/latest/api/API_GetGroups.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum GetGroups: Operation {
    static let route = Route.rest("XRay.GetGroups", .post, "/Groups")

    struct Input: Readable {
      let token: String?
      init(_ r: Reader) throws(AWSError) {
        token = try r.body().string("NextToken", .length(1, 100))
      }
    }

    struct Output: Writable {
      let groups: [XRayGroup]
      func write(to w: inout Writer) { w.body { $0.list("Groups", groups) { $1.write(to: &$0) } } }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      if input.token != nil { throw .xrayInvalidToken() }
      return Output(groups: xray.groups.list(call.place))
    }
  }
}
