// GetTraceSegmentDestination: where segments go: to X-Ray.
// https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSegmentDestination.html
import MartletCore
import MartletWire

extension XRay {
  enum GetTraceSegmentDestination: Operation {
    static let route = Route.rest(
      "XRay.GetTraceSegmentDestination", .post, "/GetTraceSegmentDestination")

    typealias Input = Empty

    struct Output: Writable {
      func write(to w: inout Writer) {
        w.body { w in
          w.member("Destination", "XRay")
          w.member("Status", "ACTIVE")
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    { Output() }
  }
}
