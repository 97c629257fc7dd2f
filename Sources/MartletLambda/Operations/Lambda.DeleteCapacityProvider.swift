// DeleteCapacityProvider: removes a capacity provider that no function version uses.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteCapacityProvider.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum DeleteCapacityProvider: Operation {
    static let route = Route.rest(
      "Lambda.DeleteCapacityProvider", .delete, "/2025-11-30/capacity-providers/{CapacityProviderName}", status: 202)

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = r.path("CapacityProviderName", .length(1, 140), .pattern(CapacitySettings.namePattern))
      }
    }

    typealias Output = CapacityAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.capacityKey(input.name, call)
      let functions = lambda.functions.catalogue
      let provider = try await lambda.resources.capacityProviders.change(key) {
        (after: inout CapacityProvider?) throws(AWSError) -> CapacityProvider in
        guard var provider = after else { throw .capacityProviderNotFound(CapacityProvider.arn(key)) }
        if provider.state.isBusy { throw .capacityProviderBusy(provider.arn, provider.state) }
        let isUsed = functions.newest(in: key.place).contains { record in
          record.allStored.contains { $0.glance.capacityProviderARN == provider.arn }
        }
        if isUsed { throw .capacityProviderInUse(provider.arn) }
        provider.state = .deleting
        after = provider
        return provider
      }
      lambda.resources.schedule(capacityProvider: key)
      return Output(provider: provider)
    }
  }
}
