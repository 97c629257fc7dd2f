// GetCapacityProvider: a capacity provider.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetCapacityProvider.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetCapacityProvider: Operation {
    static let route = Route.rest(
      "Lambda.GetCapacityProvider", .get, "/2025-11-30/capacity-providers/{CapacityProviderName}")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = r.path("CapacityProviderName", .length(1, 140), .pattern(CapacitySettings.namePattern))
      }
    }

    typealias Output = CapacityAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      Output(provider: try lambda.capacityProvider(input.name, call))
    }
  }
}
