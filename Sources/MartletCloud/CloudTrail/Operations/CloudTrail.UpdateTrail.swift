// UpdateTrail: changes where a trail delivers to, and what.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum UpdateTrail: Operation {
    static let route = Route.target("CloudTrail.UpdateTrail")

    struct Input: Readable {
      let trail: TrailReference
      let settings: TrailSettings

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        trail = TrailReference(text: m.required("Name"))
        settings = TrailSettings(m, isNew: false)
      }
    }

    typealias Output = TrailSettings.Output

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      var trail = try input.trail.findAtHome(service.trails, call)
      try input.settings.apply(to: &trail)
      try await service.checkTargets(of: trail, call)
      let changed = try await service.change(trail.key) { (trail: inout Trail) throws(AWSError) in
        try input.settings.apply(to: &trail)
      }
      return Output(trail: changed)
    }
  }
}
