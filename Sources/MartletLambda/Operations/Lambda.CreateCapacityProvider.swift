// CreateCapacityProvider: keeps the description of a capacity provider, whose only instance is this host.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateCapacityProvider.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum CreateCapacityProvider: Operation {
    static let route = Route.rest("Lambda.CreateCapacityProvider", .post, "/2025-11-30/capacity-providers", status: 202)

    struct Input: Readable {
      let name: String
      let settings: [String: JSONValue]
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.smallBody("CreateCapacityProvider")
        name = m.required("CapacityProviderName", .length(1, 140), .pattern(CapacitySettings.namePattern))
        settings = CapacitySettings.create(m)
        tags = m.map("Tags", keys: Tags.keyConstraints, values: Tags.valueConstraints) ?? []
      }
    }

    typealias Output = CapacityAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      try Tags.check(input.tags, lambda.limits)
      let provider = CapacityProvider(
        key: try lambda.capacityKey(input.name, call), state: .pending, settings: input.settings,
        lastModified: lambda.world.now(), tags: input.tags)
      try await lambda.resources.capacityProviders.change(provider.key) {
        (after: inout CapacityProvider?) throws(AWSError) -> Void in
        guard after == nil else { throw .capacityProviderExists(provider.arn) }
        after = provider
      }
      lambda.resources.schedule(capacityProvider: provider.key)
      return Output(provider: provider)
    }
  }
}
