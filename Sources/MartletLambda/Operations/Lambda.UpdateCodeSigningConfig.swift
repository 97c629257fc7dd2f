// UpdateCodeSigningConfig: changes a code signing configuration; code that is deployed already stays.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateCodeSigningConfig.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum UpdateCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.UpdateCodeSigningConfig", .put, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}")

    struct Input: Readable {
      let arn: String
      let description: String?
      let profiles: [String]?
      let policy: CodeSigningConfig.Policy?

      init(_ r: Reader) throws(AWSError) {
        arn = r.codeSigningConfigARN()
        let m = try r.smallBody("UpdateCodeSigningConfig")
        description = m.string("Description", .length(0, 256))
        profiles = CodeSigningConfig.profiles(m, isRequired: false)
        policy = CodeSigningConfig.policy(m)
      }
    }

    typealias Output = CodeSigningConfigAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.codeSigningConfig(input.arn, call).key
      let world = lambda.world
      let config = try await lambda.resources.codeSigningConfigs.change(key) {
        (after: inout CodeSigningConfig?) throws(AWSError) -> CodeSigningConfig in
        guard var config = after else { throw .codeSigningConfigNotFound(input.arn) }
        if let description = input.description { config.description = description }
        if let profiles = input.profiles { config.profiles = profiles }
        if let policy = input.policy { config.policy = policy }
        config.lastModified = world.now()
        after = config
        return config
      }
      return Output(config: config)
    }
  }
}
