// RemoveLayerVersionPermission: takes one statement out of the policy of a layer version.
// https://docs.aws.amazon.com/lambda/latest/api/API_RemoveLayerVersionPermission.html
import MartletCore
import MartletWire

extension Lambda {
  enum RemoveLayerVersionPermission: Operation {
    static let route = Route.rest(
      "Lambda.RemoveLayerVersionPermission", .delete,
      "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}", status: 204)

    struct Input: Readable {
      let name: LayerNameParts?
      let version: Int
      let statement: String
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        version = r.layerVersion()
        statement = r.path("StatementId", .length(1, 100), .pattern(AddLayerVersionPermission.statementPattern))
        revision = r.query("RevisionId")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard input.version >= 1 else { throw .layerVersionTooSmall() }
      let name = try lambda.ownLayer(input.name, call, "RemoveLayerVersionPermission")
      let world = lambda.world
      try await lambda.layers.update(name, version: input.version, in: call.place) {
        (version: inout LayerVersion) throws(AWSError) -> Void in
        guard var policy = version.policy else { throw .layerPolicyNotFound() }
        if let revision = input.revision, revision != policy.revisionID.description {
          throw .layerPolicyRevisionMismatch()
        }
        guard let index = policy.statements.firstIndex(where: { $0.id == input.statement }) else {
          throw .layerStatementNotFound(input.statement)
        }
        policy.statements.remove(at: index)
        policy.revisionID = RequestID(from: world)
        version.policy = policy.statements.isEmpty ? nil : policy
      }
      return Empty()
    }
  }
}
