// GetEventSelectors: which events a trail takes.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum GetEventSelectors: Operation {
    static let route = Route.target("CloudTrail.GetEventSelectors")

    struct Input: Readable {
      let trail: TrailReference
      init(_ r: Reader) throws(AWSError) { trail = TrailReference(text: try r.body().required("TrailName")) }
    }

    struct Output: Writable {
      let trail: Trail

      func write(to w: inout Writer) {
        w.body { w in
          w.member("TrailARN", trail.arn)
          if trail.advanced.isEmpty {
            let selectors = trail.selectors.isEmpty ? [.standard] : trail.selectors
            w.list("EventSelectors", selectors) { $1.write(to: &$0) }
          } else {
            w.list("AdvancedEventSelectors", trail.advanced) { $1.write(to: &$0) }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      Output(trail: try input.trail.find(service.trails, call))
    }
  }
}
