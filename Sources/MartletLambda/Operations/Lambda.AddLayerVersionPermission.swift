// AddLayerVersionPermission: lets another account, an organisation or everybody use a version of a layer.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html
import MartletCore
import MartletWire

extension Lambda {
  enum AddLayerVersionPermission: Operation {
    static let route = Route.rest(
      "Lambda.AddLayerVersionPermission", .post, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy",
      status: 201)

    struct Input: Readable {
      let name: LayerNameParts?
      let version: Int
      let statement: LayerPolicy.Statement
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        version = r.layerVersion()
        revision = r.query("RevisionId")
        let m = try r.smallBody("AddLayerVersionPermission")
        let id = m.required("StatementId", .length(1, 100), .pattern(statementPattern))
        _ = m.required("Action", .length(nil, 22), .pattern(actionPattern))
        let principal = m.required("Principal", .length(nil, 10_000), .pattern(principalPattern))
        let organization = m.string("OrganizationId", .length(nil, 34), .pattern(organizationPattern))
        statement = LayerPolicy.Statement(id: id, granting: principal, organization: organization)
      }
    }

    struct Output: Writable {
      let statement: String
      let revision: RequestID

      func write(to w: inout Writer) {
        w.body {
          $0.member("Statement", statement)
          $0.member("RevisionId", revision.description)
        }
      }
    }

    static let statementPattern = Pattern(#"([a-zA-Z0-9-_]+)"#)
    private static let actionPattern = Pattern("lambda:GetLayerVersion")
    private static let principalPattern = Pattern(#"\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root"#)
    private static let organizationPattern = Pattern(#"o-[a-z0-9]{10,32}"#)

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard input.version >= 1 else { throw .layerVersionTooSmall() }
      let name = try lambda.ownLayer(input.name, call, "AddLayerVersionPermission")
      let resource = name.arn(of: input.version)
      let (world, limit) = (lambda.world, lambda.limits.layerPolicySize)
      return try await lambda.layers.update(name, version: input.version, in: call.place) {
        (version: inout LayerVersion) throws(AWSError) -> Output in
        let before = version.policy
        if before?.statements.contains(where: { $0.id == input.statement.id }) == true {
          throw .layerStatementExists(input.statement.id)
        }
        if let revision = input.revision, revision != before?.revisionID.description {
          throw .layerPolicyRevisionMismatch()
        }
        let policy = LayerPolicy(
          revisionID: RequestID(from: world), statements: (before?.statements ?? []) + [input.statement])
        let size = policy.text(resource: resource).utf8.count
        guard size <= limit.bytes else { throw .layerPolicyTooLarge(size, limit: limit) }
        version.policy = policy
        return Output(statement: input.statement.shown(resource: resource).text, revision: policy.revisionID)
      }
    }
  }
}
