// ListLayers: the layers of the account and region, each with its newest version that fits, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum ListLayers: Operation {
    static let route = Route.rest("Lambda.ListLayers", .get, "/2018-10-31/layers")

    struct Input: Readable {
      let runtime: String?
      let architecture: String?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        (runtime, architecture) = (r.compatibleRuntime(), r.compatibleArchitecture())
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      let layers: [(layer: Layer, newest: LayerVersion)]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("Layers", layers) { w, element in
            w.member("LayerName", element.layer.key.name)
            w.member("LayerArn", element.layer.arn)
            w.object("LatestMatchingVersion") { element.newest.write(to: &$0, of: element.layer) }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let fitting = lambda.layers.catalogue.list(call.place).compactMap { layer in
        layer.newestFirst.first { $0.fits(runtime: input.runtime, architecture: input.architecture) }
          .map { (layer: layer, newest: $0) }
      }
      let page = try input.page.cut(fitting) { $0.layer.key.name }
      return Output(layers: page.elements, next: page.next)
    }
  }
}

extension Reader {
  /// Reads the query's `CompatibleRuntime`.
  func compatibleRuntime() -> String? {
    let runtime = query("CompatibleRuntime")
    if let runtime, !compatibleRuntimes.contains(runtime), !newerRuntimes.contains(runtime) {
      check(runtime, at: "compatibleRuntime", [.oneOf(compatibleRuntimes)])
    }
    return runtime
  }

  /// Reads the query's `CompatibleArchitecture`.
  func compatibleArchitecture() -> String? { query("CompatibleArchitecture", .oneOf(["x86_64", "arm64"])) }
}

/// What AWS shows when it refuses a runtime here: more than PublishLayerVersion accepts, and not in its order.
private let compatibleRuntimes = [
  "ruby3.5", "ruby2.6", "dotnetcore1.0", "python3.7", "nodejs8.10", "nasa", "ruby2.7", "python2.7-greengrass",
  "dotnetcore2.0", "python3.8", "java21", "dotnet6", "dotnetcore2.1", "python3.9", "java11", "nodejs6.10", "provided",
  "dotnetcore3.1", "dotnet8", "java25", "java17", "nodejs", "nodejs4.3", "java8.al2", "go1.x", "dotnet10",
  "nodejs20.x", "go1.9", "byol", "nodejs10.x", "provided.al2023", "nodejs22.x", "python3.10", "java8", "nodejs12.x",
  "python3.11", "nodejs24.x", "nodejs8.x", "python3.12", "nodejs14.x", "nodejs8.9", "nodejs26.x", "python3.13",
  "python3.14", "nodejs16.x", "python3.15", "provided.al2", "nodejs4.3-edge", "nodejs18.x", "ruby3.2", "python3.4",
  "ruby3.3", "ruby3.4", "ruby2.5", "python3.6", "python2.7",
]

/// What the model has besides.
private let newerRuntimes: Set<String> = ["ruby4.0", "java8.al2023", "java11.al2023", "java17.al2023", "custom"]
