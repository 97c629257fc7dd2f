// GetCodeSigningConfig: a code signing configuration.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetCodeSigningConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetCodeSigningConfig", .get, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}")

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        arn = r.codeSigningConfigARN()
      }
    }

    typealias Output = CodeSigningConfigAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      Output(config: try lambda.codeSigningConfig(input.arn, call))
    }
  }
}
