// CreateAlias: a name for one version of a function, or for two that share its invocations.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
import MartletCore
import MartletWire

extension Lambda {
  enum CreateAlias: Operation {
    static let route = Route.rest(
      "Lambda.CreateAlias", .post, "/2015-03-31/functions/{FunctionName}/aliases", status: 201)

    struct Input: Readable {
      let function: FunctionNameParts?
      let name: String
      let version: String
      let description: String
      let routing: [(version: String, weight: Double)]

      init(_ r: Reader) throws(AWSError) {
        function = r.functionName(.plain)
        let m = try r.smallBody("CreateAlias")
        name = m.required("Name", .length(1, 128), .pattern(AliasRequest.namePattern))
        version = m.required("FunctionVersion", .length(1, 1024), .pattern(AliasRequest.versionPattern))
        description = m.string("Description", .length(nil, 256)) ?? ""
        routing = AliasRequest.routing(m) ?? []
      }
    }

    typealias Output = AliasOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.function(input.function, call).key
      let world = lambda.world
      let alias = try await lambda.functions.change(key) {
        (after: inout FunctionRecord?) throws(AWSError) -> Alias in
        guard var record = after else {
          throw .functionNotFound(FunctionReference(key: key, qualifier: input.version).arn)
        }
        let version = try AliasRequest.version(input.version, of: record)
        let additional = try AliasRequest.additional(input.routing, main: version, of: record)
        guard record.aliases[input.name] == nil else {
          throw .aliasExists(FunctionReference(key: key, qualifier: input.name).arn)
        }
        let alias = Alias(
          name: input.name, version: version, description: input.description, additional: additional,
          revisionID: RequestID(from: world))
        record.aliases[input.name] = alias
        after = record
        return alias
      }
      return Output(key: key, alias: alias)
    }
  }
}
