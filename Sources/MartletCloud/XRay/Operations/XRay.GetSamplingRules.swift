// GetSamplingRules: all rules, the first one asked first.
// https://docs.aws.amazon.com/xray/latest/api/API_GetSamplingRules.html
import MartletCore
import MartletWire

extension XRay {
  enum GetSamplingRules: Operation {
    static let route = Route.rest("XRay.GetSamplingRules", .post, "/GetSamplingRules")

    struct Input: Readable {
      let token: String?
      init(_ r: Reader) throws(AWSError) { token = try r.body().string("NextToken") }
    }

    struct Output: Writable {
      let rules: [SamplingRule]
      func write(to w: inout Writer) {
        w.body { $0.list("SamplingRuleRecords", rules) { $1.write(to: &$0) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      if input.token != nil { throw .xrayInvalidToken() }
      return Output(rules: xray.sortedRules(call.place))
    }
  }
}
