// GetLayerVersionByArn: one version of a layer, which may belong to another account that allows it.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetLayerVersionByArn: Operation {
    static let route = Route.rest("Lambda.GetLayerVersionByArn", .get, "/2018-10-31/layers?find=LayerVersion")

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        arn = r.requiredQuery("Arn", .length(1, 2048), .pattern(LayerVersionReference.pattern))
      }
    }

    typealias Output = LayerVersionAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let named = LayerVersionReference(input.arn) else { throw .layerNotFound() }
      return try lambda.layerVersion(named.layer, named.version, call)
    }
  }
}
