// GetFunctionCodeSigningConfig: which code signing configuration a function uses.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetFunctionCodeSigningConfig", .get, "/2020-06-30/functions/{FunctionName}/code-signing-config")

    struct Input: Readable {
      let name: FunctionNameParts?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
      }
    }

    struct Output: Writable {
      let function: String
      /// nil: the function uses none, and AWS answers nothing at all.
      let arn: String?

      func write(to w: inout Writer) {
        w.body {
          guard let arn else { return }
          $0.member("CodeSigningConfigArn", arn)
          $0.member("FunctionName", function)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      return Output(function: function.key.name, arn: try lambda.record(function).codeSigningConfigARN)
    }
  }
}
