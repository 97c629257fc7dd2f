// PutResourcePolicy: replaces the whole policy of a function, a version or an alias.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutResourcePolicy.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutResourcePolicy: Operation {
    static let route = Route.rest("Lambda.PutResourcePolicy", .put, "/2026-07-09/resource-policy/{ResourceArn}")

    struct Input: Readable {
      let resource: String
      let policy: String
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        resource = r.policyResource()
        let m = try r.smallBody("PutResourcePolicy")
        policy = m.required("Policy", .length(1, ResourcePolicy.limit), .pattern(Pattern(#"[\s\S]+"#)))
        revision = m.string("RevisionId", .length(36, 36), .pattern(policyRevisionPattern))
      }
    }

    typealias Output = PolicyOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.policyTarget(input.resource, call)
      guard reference.qualifier != "$LATEST" else { throw .policyOfLatest() }
      let policy = try ResourcePolicy(parsing: input.policy)
      if policy.isPublic { throw .publicPolicy() }
      let world = lambda.world
      let revision = try await lambda.functions.update(reference.key) {
        (record: inout FunctionRecord) throws(AWSError) -> RequestID? in
        let qualifier = try record.policyQualifier(reference)
        if let revision = input.revision, revision != record.revision(of: qualifier)?.description {
          throw .policyRevisionMismatch(remedy: "GetResourcePolicy")
        }
        try record.setPolicy(policy, of: qualifier, world)
        return record.revision(of: qualifier)
      }
      guard let revision else { throw .resourceNotFound() }
      return Output(policy: policy, revision: revision)
    }
  }
}
