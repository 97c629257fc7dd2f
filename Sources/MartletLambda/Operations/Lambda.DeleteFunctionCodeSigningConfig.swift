// DeleteFunctionCodeSigningConfig: lets a function use no code signing configuration.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionCodeSigningConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteFunctionCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.DeleteFunctionCodeSigningConfig", .delete, "/2020-06-30/functions/{FunctionName}/code-signing-config",
      status: 204)

    struct Input: Readable {
      let name: FunctionNameParts?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      try await lambda.functions.update(function.key) { (record: inout FunctionRecord) throws(AWSError) -> Void in
        record.codeSigning[""] = nil
      }
      return Empty()
    }
  }
}
