// GetFunctionRecursionConfig: what is done when a function invokes itself in a loop.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionRecursionConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionRecursionConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetFunctionRecursionConfig", .get, "/2024-08-31/functions/{FunctionName}/recursion-config")

    struct Input: Readable {
      let name: FunctionNameParts?

      init(_ r: Reader) throws(AWSError) { name = r.functionName(.unqualified) }
    }

    typealias Output = RecursionOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let record = try lambda.record(lambda.function(input.name, call))
      return Output(config: record.recursionConfigs[""] ?? .initial)
    }
  }
}
