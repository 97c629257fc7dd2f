// CreatePolicy: a new managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum CreatePolicy: Operation {
    static let route = Route.query("IAM.CreatePolicy")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let name: String
      let path: String?
      let document: String
      let description: String?
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName("PolicyName", longest: 128)
        path = m.iamPath(isPolicy: true)
        document = m.policyDocument()
        description = m.string("Description", .length(nil, 1000))
        tags = m.iamTags()
      }
    }

    typealias Output = IAMShown<IAMPolicy>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      _ = try PolicyDocument(parsing: input.document, for: .identity)
      try iam.checkPolicySize(input.document)
      return IAMShown(
        try await iam.create(
          input.name, path: input.path, tags: input.tags, limit: iam.limits.policies, quota: "PoliciesPerAccount", call
        ) {
          (key, entity) throws(AWSError) -> IAMPolicy in
          var policy = IAMPolicy(key: key, entity: entity, document: input.document)
          policy.description = input.description
          return policy
        })
    }
  }
}
