// CreateTrail: a trail, which does not log until it is told to.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum CreateTrail: Operation {
    static let route = Route.target("CloudTrail.CreateTrail")

    struct Input: Readable {
      let name: String
      let settings: TrailSettings
      let tags: [CloudTrailTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name")
        settings = TrailSettings(m, isNew: true)
        tags = m.cloudTrailTags()
      }
    }

    typealias Output = TrailSettings.Output

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      try TrailReference.check(input.name)
      let key = ResourceKey(place: call.place, name: input.name)
      var made = Trail(key: key, bucket: input.settings.bucket ?? "")
      try input.settings.apply(to: &made)
      made.tags = try CloudTrailTag.merge(input.tags, into: [])
      guard made.tags.count == input.tags.count else { throw .cloudTrailTagTwice() }
      try await service.checkTargets(of: made, call)
      let trail = made
      try await service.trails.change(key) { record throws(AWSError) in
        guard record == nil else { throw .trailExists(key.name, key.place.account) }
        guard service.trails.newest(in: key.place).count < Trail.most else { throw .tooManyTrails(key.place) }
        record = trail
      }
      return Output(trail: trail)
    }
  }
}
