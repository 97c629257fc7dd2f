// CreateInstanceProfile: a new instance profile.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
import MartletCore
import MartletWire

extension IAM {
  enum CreateInstanceProfile: Operation {
    static let route = Route.query("IAM.CreateInstanceProfile")

    struct Input: Readable {
      let name: String
      let path: String?
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMInstanceProfile.noun)
        path = m.iamPath()
        tags = m.iamTags()
      }
    }

    typealias Output = IAMShown<IAMInstanceProfile>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      return IAMShown(
        try await iam.create(
          input.name, path: input.path, tags: input.tags, limit: iam.limits.instanceProfiles,
          quota: "InstanceProfilesPerAccount", call
        ) {
          (key, entity) throws(AWSError) -> IAMInstanceProfile in IAMInstanceProfile(key: key, entity: entity)
        })
    }
  }
}
