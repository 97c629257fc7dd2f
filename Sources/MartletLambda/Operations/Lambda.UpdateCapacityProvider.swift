// UpdateCapacityProvider: changes how a capacity provider scales, and what its instances are given.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateCapacityProvider.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum UpdateCapacityProvider: Operation {
    static let route = Route.rest(
      "Lambda.UpdateCapacityProvider", .put, "/2025-11-30/capacity-providers/{CapacityProviderName}", status: 202)

    struct Input: Readable {
      let name: String
      let settings: [String: JSONValue]

      init(_ r: Reader) throws(AWSError) {
        name = r.path("CapacityProviderName", .length(1, 140), .pattern(CapacitySettings.namePattern))
        settings = CapacitySettings.update(try r.smallBody("UpdateCapacityProvider"))
      }
    }

    typealias Output = CapacityAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.capacityKey(input.name, call)
      let world = lambda.world
      let provider = try await lambda.resources.capacityProviders.change(key) {
        (after: inout CapacityProvider?) throws(AWSError) -> CapacityProvider in
        guard var provider = after else { throw .capacityProviderNotFound(CapacityProvider.arn(key)) }
        if provider.state.isBusy { throw .capacityProviderBusy(provider.arn, provider.state) }
        provider.settings.merge(input.settings) { $1 }
        provider.lastModified = world.now()
        after = provider
        return provider
      }
      return Output(provider: provider)
    }
  }
}
