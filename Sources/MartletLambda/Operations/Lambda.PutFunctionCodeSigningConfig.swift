// PutFunctionCodeSigningConfig: tells a function to use a code signing configuration, from its next deployment on.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionCodeSigningConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutFunctionCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.PutFunctionCodeSigningConfig", .put, "/2020-06-30/functions/{FunctionName}/code-signing-config")

    struct Input: Readable {
      let name: FunctionNameParts?
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        arn = try r.smallBody("PutFunctionCodeSigningConfig").required(
          "CodeSigningConfigArn", .length(nil, 200), .pattern(CodeSigningConfig.pattern))
      }
    }

    struct Output: Writable {
      let function: String
      let arn: String

      func write(to w: inout Writer) {
        w.body {
          $0.member("CodeSigningConfigArn", arn)
          $0.member("FunctionName", function)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      _ = try lambda.usableCodeSigningConfig(input.arn, in: call.place)
      try await lambda.functions.update(function.key) { (record: inout FunctionRecord) throws(AWSError) -> Void in
        _ = try lambda.usableCodeSigningConfig(input.arn, in: call.place, isWriting: true)
        record.codeSigning[""] = FunctionCodeSigning(arn: input.arn)
      }
      return Output(function: function.key.name, arn: input.arn)
    }
  }
}
