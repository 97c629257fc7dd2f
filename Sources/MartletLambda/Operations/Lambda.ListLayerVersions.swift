// ListLayerVersions: the versions of a layer that are there, the newest first, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListLayerVersions: Operation {
    static let route = Route.rest("Lambda.ListLayerVersions", .get, "/2018-10-31/layers/{LayerName}/versions")

    struct Input: Readable {
      let name: LayerNameParts?
      let runtime: String?
      let architecture: String?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        name = r.layerName()
        (runtime, architecture) = (r.compatibleRuntime(), r.compatibleArchitecture())
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      /// nil: there is no such layer, which is no error.
      let layer: Layer?
      let versions: [LayerVersion]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("LayerVersions", versions) { if let layer { $1.write(to: &$0, of: layer) } }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let name = try lambda.ownLayer(input.name, call, "ListLayerVersions")
      let layer = lambda.layers.find(name, in: call.place)
      let versions = (layer?.newestFirst ?? []).filter {
        $0.fits(runtime: input.runtime, architecture: input.architecture)
      }
      let page = try input.page.cut(versions) { key($0.number) }
      return Output(layer: layer, versions: page.elements, next: page.next)
    }

    /// Grows as the numbers shrink, with as many digits for each.
    private static func key(_ version: Int) -> String { String(4_000_000_000_000_000_000 - version) }
  }
}
