// GetLayerVersion: one version of a layer, and a link to its package.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetLayerVersion: Operation {
    static let route = Route.rest(
      "Lambda.GetLayerVersion", .get, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}")

    struct Input: Readable {
      let name: LayerNameParts?
      let version: Int

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        version = r.layerVersion()
      }
    }

    typealias Output = LayerVersionAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      try lambda.layerVersion(lambda.layer(input.name, call), input.version, call)
    }
  }
}
