// AddPermission: adds a statement to the policy of a function, a version or an alias.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
import MartletCore
import MartletWire

extension Lambda {
  enum AddPermission: Operation {
    static let route = Route.rest(
      "Lambda.AddPermission", .post, "/2015-03-31/functions/{FunctionName}/policy", status: 201)

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?
      let revision: String?
      let grant: PermissionGrant

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
        let m = try r.smallBody("AddPermission")
        revision = m.string("RevisionId")
        var grant = PermissionGrant(
          id: m.required("StatementId", .length(1, 100), .pattern(statementPattern)),
          action: m.required("Action", .length(nil, 10_000), .pattern(actionPattern)),
          principal: m.required("Principal", .length(nil, 2048), .pattern(principalPattern)))
        grant.sourceARN = m.string("SourceArn", .length(nil, 10_000), .pattern(sourcePattern))
        grant.sourceAccount = m.string("SourceAccount", .length(nil, 12), .pattern(accountPattern))
        grant.eventSourceToken = m.string("EventSourceToken", .length(nil, 256), .pattern(tokenPattern))
        grant.organization = m.string("PrincipalOrgID", .length(12, 34), .pattern(organizationPattern))
        grant.urlAuthType = m.string("FunctionUrlAuthType", .oneOf(["NONE", "AWS_IAM"]))
        grant.invokedViaURL = m.bool("InvokedViaFunctionUrl")
        self.grant = grant
      }
    }

    struct Output: Writable {
      let statement: JSONValue

      func write(to w: inout Writer) { w.body { $0.member("Statement", statement.text) } }
    }

    private static let statementPattern = Pattern(#"([a-zA-Z0-9-_]+)"#)
    private static let actionPattern = Pattern(#"(lambda:[*]|lambda:[a-zA-Z]+|[*])"#)
    private static let principalPattern = Pattern(#"[^\s]+"#)
    private static let sourcePattern = Pattern(
      #"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"#
    )
    private static let accountPattern = Pattern(#"\d{12}"#)
    private static let tokenPattern = Pattern(#"[a-zA-Z0-9._\-]+"#)
    private static let organizationPattern = Pattern(#"o-[a-z0-9]{10,32}"#)

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.reference(input.name, qualifier: input.qualifier, call)
      guard reference.qualifier != "$LATEST" else { throw .policyOfLatest() }
      let world = lambda.world
      return try await lambda.functions.update(reference.key) {
        (record: inout FunctionRecord) throws(AWSError) -> Output in
        let qualifier = try record.policyQualifier(reference)
        let statement = try input.grant.statement(resource: reference.arn)
        let before = record.policies[qualifier]
        if before?.hasStatement(input.grant.id) == true { throw .statementExists(input.grant.id) }
        if let revision = input.revision, revision != record.revision(of: qualifier)?.description {
          // AWS words it one way where there is a policy, and the other where there is none.
          throw .policyRevisionMismatch(remedy: before == nil ? "GetPolicy" : "GetFunction/GetAlias")
        }
        var policy = before ?? ResourcePolicy()
        policy.statements.append(statement)
        try record.setPolicy(policy, of: qualifier, world)
        return Output(statement: statement)
      }
    }
  }
}
