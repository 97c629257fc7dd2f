// DeleteCodeSigningConfig: removes a code signing configuration that no function uses.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteCodeSigningConfig.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum DeleteCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.DeleteCodeSigningConfig", .delete, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", status: 204)

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        arn = r.codeSigningConfigARN()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let config = try lambda.codeSigningConfig(input.arn, call)
      let functions = lambda.functions.catalogue
      try await lambda.resources.codeSigningConfigs.change(config.key) {
        (after: inout CodeSigningConfig?) throws(AWSError) -> Void in
        guard after != nil else { throw .codeSigningConfigNotFound(input.arn) }
        if functions.newest(in: config.key.place).contains(where: { $0.codeSigningConfigARN == config.arn }) {
          throw .codeSigningConfigInUse(config.arn)
        }
        after = nil
      }
      return Empty()
    }
  }
}
