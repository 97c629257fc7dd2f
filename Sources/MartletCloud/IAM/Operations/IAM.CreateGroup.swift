// CreateGroup: a new group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html
import MartletCore
import MartletWire

extension IAM {
  enum CreateGroup: Operation {
    static let route = Route.query("IAM.CreateGroup")

    struct Input: Readable {
      let name: String
      let path: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        path = m.iamPath()
        name = m.iamName(of: IAMGroup.noun)
      }
    }

    typealias Output = IAMShown<IAMGroup>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      return IAMShown(
        try await iam.create(input.name, path: input.path, limit: iam.limits.groups, quota: "GroupsPerAccount", call) {
          (key, entity) throws(AWSError) -> IAMGroup in IAMGroup(key: key, entity: entity)
        })
    }
  }
}
