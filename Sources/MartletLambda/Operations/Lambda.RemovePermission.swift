// RemovePermission: takes a statement out of the policy of a function, a version or an alias.
// https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html
import MartletCore
import MartletWire

extension Lambda {
  enum RemovePermission: Operation {
    static let route = Route.rest(
      "Lambda.RemovePermission", .delete, "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", status: 204)

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?
      let statement: String
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
        statement = r.path("StatementId", .length(1, 100), .pattern(statementPattern))
        revision = r.query("RevisionId")
      }
    }

    typealias Output = Empty

    private static let statementPattern = Pattern(#"([a-zA-Z0-9-_.]+)"#)

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.reference(input.name, qualifier: input.qualifier, call)
      let world = lambda.world
      try await lambda.functions.change(reference.key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard var record = after else { throw .noPolicy(of: reference.arn) }
        let qualifier = try record.policyQualifier(reference)
        guard var policy = record.policies[qualifier] else { throw .noPolicy() }
        if let revision = input.revision, revision != record.revision(of: qualifier)?.description {
          throw .policyRevisionMismatch(remedy: "GetFunction/GetAlias")
        }
        guard policy.remove(input.statement) else { throw .statementNotFound(input.statement) }
        try record.setPolicy(policy, of: qualifier, world)
        after = record
      }
      return Empty()
    }
  }
}
