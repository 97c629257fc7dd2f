// GetTrail: the settings of a trail.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrail.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum GetTrail: Operation {
    static let route = Route.target("CloudTrail.GetTrail")

    struct Input: Readable {
      let trail: TrailReference
      init(_ r: Reader) throws(AWSError) { trail = TrailReference(text: try r.body().required("Name")) }
    }

    struct Output: Writable {
      let trail: Trail
      func write(to w: inout Writer) { w.body { $0.object("Trail") { trail.write(to: &$0) } } }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      Output(trail: try input.trail.find(service.trails, call))
    }
  }
}
