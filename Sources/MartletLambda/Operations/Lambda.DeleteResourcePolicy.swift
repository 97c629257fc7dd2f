// DeleteResourcePolicy: forgets the whole policy of a function, a version or an alias.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteResourcePolicy.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteResourcePolicy: Operation {
    static let route = Route.rest(
      "Lambda.DeleteResourcePolicy", .delete, "/2026-07-09/resource-policy/{ResourceArn}", status: 204)

    struct Input: Readable {
      let resource: String
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        resource = r.policyResource()
        revision = r.query("RevisionId", .length(36, 36), .pattern(policyRevisionPattern))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.policyTarget(input.resource, call)
      let world = lambda.world
      try await lambda.functions.change(reference.key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard var record = after else { throw .resourceNotFound() }
        let qualifier = reference.qualifier ?? ""
        guard record.policies[qualifier] != nil else { throw .resourceNotFound() }
        if let revision = input.revision, revision != record.revision(of: qualifier)?.description {
          throw .policyRevisionMismatch(remedy: "GetResourcePolicy")
        }
        try record.setPolicy(nil, of: qualifier, world)
        after = record
      }
      return Empty()
    }
  }
}
