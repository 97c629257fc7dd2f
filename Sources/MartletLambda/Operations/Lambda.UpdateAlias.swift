// UpdateAlias: points an alias to another version, or divides its invocations anew; what is left out stays.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
import MartletCore
import MartletWire

extension Lambda {
  enum UpdateAlias: Operation {
    static let route = Route.rest("Lambda.UpdateAlias", .put, "/2015-03-31/functions/{FunctionName}/aliases/{Name}")

    struct Input: Readable {
      let function: FunctionNameParts?
      let name: String
      let version: String?
      let description: String?
      let routing: [(version: String, weight: Double)]?
      let revision: String?

      init(_ r: Reader) throws(AWSError) {
        function = r.functionName(.plain)
        name = r.aliasName()
        let m = try r.smallBody("UpdateAlias")
        version = m.string("FunctionVersion", .length(1, 1024), .pattern(AliasRequest.versionPattern))
        description = m.string("Description", .length(nil, 256))
        routing = AliasRequest.routing(m)
        revision = m.string("RevisionId")
      }
    }

    typealias Output = AliasOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.function(input.function, call).key
      let world = lambda.world
      let alias = try await lambda.functions.change(key) {
        (after: inout FunctionRecord?) throws(AWSError) -> Alias in
        guard var record = after, var alias = record.aliases[input.name] else {
          throw .aliasToChangeNotFound(FunctionReference(key: key, qualifier: input.name).arn)
        }
        if let revision = input.revision, revision != alias.revisionID.description { throw .revisionMismatch() }
        if let version = input.version { alias.version = try AliasRequest.version(version, of: record) }
        if let description = input.description { alias.description = description }
        let routing = input.routing ?? alias.additional.map { [($0.version.description, $0.weight)] } ?? []
        alias.additional = try AliasRequest.additional(routing, main: alias.version, of: record)
        alias.revisionID = RequestID(from: world)
        try record.requireProvisionable(alias)
        record.aliases[input.name] = alias
        after = record
        return alias
      }
      return Output(key: key, alias: alias)
    }
  }
}
