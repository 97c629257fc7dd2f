// CreateCodeSigningConfig: says who may sign code, for functions that are then told to use it.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateCodeSigningConfig.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum CreateCodeSigningConfig: Operation {
    static let route = Route.rest(
      "Lambda.CreateCodeSigningConfig", .post, "/2020-04-22/code-signing-configs", status: 201)

    struct Input: Readable {
      let description: String?
      let profiles: [String]
      let policy: CodeSigningConfig.Policy
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.smallBody("CreateCodeSigningConfig")
        description = m.string("Description", .length(0, 256))
        profiles = CodeSigningConfig.profiles(m, isRequired: true) ?? []
        policy = CodeSigningConfig.policy(m) ?? .warn
        tags = m.map("Tags", keys: Tags.keyConstraints, values: Tags.valueConstraints) ?? []
      }
    }

    typealias Output = CodeSigningConfigAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      try Tags.check(input.tags, lambda.limits)
      let world = lambda.world
      let config = CodeSigningConfig(
        key: ResourceKey(place: call.place, name: "csc-0\(randomHex(16, from: world))"), description: input.description,
        profiles: input.profiles, policy: input.policy, lastModified: world.now(), tags: input.tags)
      try await lambda.resources.codeSigningConfigs.change(config.key) {
        (after: inout CodeSigningConfig?) throws(AWSError) -> Void in after = config
      }
      return Output(config: config)
    }
  }
}
