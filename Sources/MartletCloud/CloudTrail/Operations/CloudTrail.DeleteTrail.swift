// DeleteTrail: a trail; what it has delivered stays.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum DeleteTrail: Operation {
    static let route = Route.target("CloudTrail.DeleteTrail")

    struct Input: Readable {
      let trail: TrailReference
      init(_ r: Reader) throws(AWSError) { trail = TrailReference(text: try r.body().required("Name")) }
    }

    typealias Output = CloudTrailNothing

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      let trail = try input.trail.findAtHome(service.trails, call)
      try await service.trails.change(trail.key) { record throws(AWSError) in
        guard record != nil else { throw .trailNotFound(trail.key.name, trail.key.place.account) }
        record = nil
      }
      service.updateAudited()
      do throws(Fault) { try await service.store.remove(trail.arn) } catch { throw .service("\(error)") }
      return Output()
    }
  }
}
