// PutFunctionRecursionConfig: says what is done when a function invokes itself in a loop.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutFunctionRecursionConfig: Operation {
    static let route = Route.rest(
      "Lambda.PutFunctionRecursionConfig", .put, "/2024-08-31/functions/{FunctionName}/recursion-config")

    struct Input: Readable {
      let name: FunctionNameParts?
      let config: RecursionConfig

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.unqualified)
        let m = try r.smallBody("PutFunctionRecursionConfig")
        config = RecursionConfig(loop: m.required("RecursiveLoop", .oneOf(RecursionConfig.loops)))
      }
    }

    typealias Output = RecursionOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.function(input.name, call).key
      try await lambda.functions.update(key) { (record: inout FunctionRecord) throws(AWSError) in
        record.recursionConfigs[""] = input.config
      }
      return Output(config: input.config)
    }
  }
}
