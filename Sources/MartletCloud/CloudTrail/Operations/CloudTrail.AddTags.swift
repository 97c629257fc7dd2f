// AddTags: adds tags to a trail, or gives them new values.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum AddTags: Operation {
    static let route = Route.target("CloudTrail.AddTags")

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
        trail.tags = try CloudTrailTag.merge(input.tags, into: trail.tags)
      }
      return Output()
    }
  }
}
