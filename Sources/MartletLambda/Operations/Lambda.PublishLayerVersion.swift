// PublishLayerVersion: a package for /opt under the next number of its layer; the layer is made with the first one.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension Lambda {
  enum PublishLayerVersion: Operation {
    static let route = Route.rest(
      "Lambda.PublishLayerVersion", .post, "/2018-10-31/layers/{LayerName}/versions", status: 201)

    struct Input: Readable {
      let name: LayerNameParts?
      /// nil: the request was too large to be read.
      let body: Body?

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        body = r.request.bodyExceedsLimit ? nil : Body(try r.body(), r)
      }
    }

    struct Body: Sendable {
      let content: CodeSource?
      let description: String
      let runtimes: [String]?
      let architectures: [String]?
      let license: String?

      init(_ m: Members, _ r: Reader) {
        description = m.string("Description", .length(nil, 256)) ?? ""
        content = m.requiredObject("Content").map { CodeSource($0, mayBeImage: false) }
        runtimes = PublishLayerVersion.runtimes(m, r)
        architectures = CodeSource.architectures(m, r, member: "CompatibleArchitectures", count: 0...2)
        license = m.string("LicenseInfo", .length(nil, 512))
      }
    }

    typealias Output = LayerVersionAnswer

    /// AWS shows this list's constraint as if it were one of a single value.
    private static func runtimes(_ m: Members, _ r: Reader) -> [String]? {
      guard let list = m.strings("CompatibleRuntimes", count: 0...15) else { return nil }
      let accepted = RuntimeCatalog.identifiers.filter(\.isListed).map(\.name)
      if list.contains(where: { !accepted.contains($0) }) {
        r.violate(
          "Value '[\(list.joined(separator: ", "))]' at 'compatibleRuntimes' failed to satisfy constraint: "
            + "Member must satisfy enum value set: [\(accepted.joined(separator: ", "))]")
      }
      return list
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let body = input.body else {
        throw .requestTooLarge("PublishLayerVersion", limit: lambda.limits.requestSize)
      }
      let name = try lambda.ownLayer(input.name, call, "PublishLayerVersion")
      guard name.place.region == call.place.region else { throw .layerNotFound() }
      guard let content = body.content else { throw .codeSourceMissing() }
      let origin = try content.origin("PublishLayerVersion", prefix: "Content.")

      let package = try await lambda.store(origin, call).package
      let world = lambda.world
      let published = try await lambda.layers.catalogue.change(name.key) {
        (after: inout Layer?) throws(AWSError) -> (Layer, LayerVersion) in
        var layer = after ?? Layer(key: name.key)
        let version = LayerVersion(
          number: layer.nextVersion, description: body.description, created: world.now(), package: package,
          runtimes: body.runtimes, architectures: body.architectures, license: body.license)
        layer.versions[version.number] = version
        layer.nextVersion += 1
        after = layer
        return (layer, version)
      }
      return Output(
        layer: published.0, version: published.1, location: lambda.packages.link(to: package, host: call.host))
    }
  }
}
