// GetLayerVersionPolicy: who may use a version of a layer.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionPolicy.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetLayerVersionPolicy: Operation {
    static let route = Route.rest(
      "Lambda.GetLayerVersionPolicy", .get, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy")

    struct Input: Readable {
      let name: LayerNameParts?
      let version: Int

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        version = r.layerVersion()
      }
    }

    struct Output: Writable {
      let policy: String
      let revision: RequestID

      func write(to w: inout Writer) {
        w.body {
          $0.member("Policy", policy)
          $0.member("RevisionId", revision.description)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard input.version >= 1 else { throw .layerVersionTooSmall() }
      let name = try lambda.ownLayer(input.name, call, "GetLayerVersionPolicy")
      let resource = name.arn(of: input.version)
      guard let version = lambda.layers.find(name, in: call.place)?.versions[input.version] else {
        throw .layerVersionNotFound(resource)
      }
      guard let policy = version.policy else { throw .layerPolicyNotFound() }
      return Output(policy: policy.text(resource: resource), revision: policy.revisionID)
    }
  }
}
