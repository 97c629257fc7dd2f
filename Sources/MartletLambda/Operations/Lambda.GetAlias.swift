// GetAlias: what an alias points to.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetAlias: Operation {
    static let route = Route.rest("Lambda.GetAlias", .get, "/2015-03-31/functions/{FunctionName}/aliases/{Name}")

    struct Input: Readable {
      let function: FunctionNameParts?
      let name: String

      init(_ r: Reader) throws(AWSError) {
        function = r.functionName(.plain)
        name = r.aliasName()
      }
    }

    typealias Output = AliasOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.function, call)
      guard let alias = lambda.functions.find(function.key)?.aliases[input.name] else {
        throw .aliasNotFound(FunctionReference(key: function.key, qualifier: input.name).arn)
      }
      return Output(key: function.key, alias: alias)
    }
  }
}
