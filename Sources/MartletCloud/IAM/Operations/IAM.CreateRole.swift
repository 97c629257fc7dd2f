// CreateRole: a new role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
import MartletCore
import MartletWire

extension IAM {
  enum CreateRole: Operation {
    static let route = Route.query("IAM.CreateRole")

    struct Input: Readable {
      let name: String
      let path: String?
      let trust: String
      let description: String?
      let longestSession: Int?
      let boundary: String?
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        path = m.iamPath()
        name = m.iamName(of: IAMRole.noun)
        trust = m.policyDocument("AssumeRolePolicyDocument")
        description = m.iamDescription()
        longestSession = m.integer("MaxSessionDuration", in: 3600...43_200)
        boundary = m.string("PermissionsBoundary", .length(20, 2048))
        tags = m.iamTags()
      }
    }

    typealias Output = IAMShown<IAMRole>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.checkTrust(input.trust)
      return IAMShown(
        try await iam.create(
          input.name, path: input.path, tags: input.tags, limit: iam.limits.roles, quota: "RolesPerAccount", call
        ) {
          (key, entity) throws(AWSError) -> IAMRole in
          var role = IAMRole(key: key, entity: entity, trust: input.trust)
          if let boundary = input.boundary {
            try iam.requireAttachable(boundary, call)
            role.policies.boundary = boundary
          }
          role.description = input.description
          if let longest = input.longestSession { role.longestSession = longest }
          return role
        })
    }
  }
}
