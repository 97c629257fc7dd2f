// StartLogging: a trail takes events from now on.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartLogging.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum StartLogging: Operation {
    static let route = Route.target("CloudTrail.StartLogging")

    struct Input: Readable {
      let trail: TrailReference
      init(_ r: Reader) throws(AWSError) { trail = TrailReference(text: try r.body().required("Name")) }
    }

    typealias Output = CloudTrailNothing

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      let trail = try input.trail.findAtHome(service.trails, call)
      // What has happened before is not for the new state.
      await service.settle()
      let now = service.world.now().milliseconds
      _ = try await service.change(trail.key) { (trail: inout Trail) throws(AWSError) in
        trail.status.isLogging = true
        trail.status.started = now
      }
      return Output()
    }
  }
}
