// RemoveTags: takes tags from a trail, by their keys.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_RemoveTags.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum RemoveTags: Operation {
    static let route = Route.target("CloudTrail.RemoveTags")

    struct Input: Readable {
      let resource: String
      let tags: [CloudTrailTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("ResourceId")
        tags = m.cloudTrailTags(isRequired: true)
      }
    }

    typealias Output = CloudTrailNothing

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      let trail = try service.tagged(input.resource, call)
      _ = try await service.change(trail.key) { (trail: inout Trail) throws(AWSError) in
        trail.tags.removeAll { old in input.tags.contains { $0.key == old.key } }
      }
      return Output()
    }
  }
}
