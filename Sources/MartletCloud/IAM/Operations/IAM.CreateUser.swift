// CreateUser: a new user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
import MartletCore
import MartletWire

extension IAM {
  enum CreateUser: Operation {
    static let route = Route.query("IAM.CreateUser")

    struct Input: Readable {
      let name: String
      let path: String?
      let boundary: String?
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        path = m.iamPath()
        name = m.iamName(of: IAMUser.noun)
        boundary = m.string("PermissionsBoundary", .length(20, 2048))
        tags = m.iamTags()
      }
    }

    typealias Output = IAMShown<IAMUser>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      return IAMShown(
        try await iam.create(
          input.name, path: input.path, tags: input.tags, limit: iam.limits.users, quota: "UsersPerAccount", call
        ) {
          (key, entity) throws(AWSError) -> IAMUser in
          var user = IAMUser(key: key, entity: entity)
          if let boundary = input.boundary {
            try iam.requireAttachable(boundary, call)
            user.policies.boundary = boundary
          }
          return user
        })
    }
  }
}
