// DeleteLayerVersion: the version can no longer be given to functions; those that have it keep it.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum DeleteLayerVersion: Operation {
    static let route = Route.rest(
      "Lambda.DeleteLayerVersion", .delete, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", status: 204)

    struct Input: Readable {
      let name: LayerNameParts?
      let version: Int

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        version = r.layerVersion()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard input.version >= 1 else { throw .layerVersionTooSmall() }
      let name = try lambda.ownLayer(input.name, call, "DeleteLayerVersion")
      // What is not there is as good as deleted.
      guard lambda.layers.find(name, in: call.place) != nil else { return Empty() }
      try await lambda.layers.catalogue.change(name.key) { (after: inout Layer?) throws(AWSError) -> Void in
        after?.versions[input.version] = nil
        if after?.versions.isEmpty == true { after?.tags = [] }
      }
      return Empty()
    }
  }
}
