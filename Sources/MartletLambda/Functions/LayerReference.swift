// The ways in which a caller names a layer or one of its versions: by name or by ARN.
import MartletCore
import MartletWire

/// A `LayerName` as it was sent.
struct LayerNameParts: Sendable, Equatable {
  /// nil if the caller gave a bare name.
  let place: Place?
  let name: String

  /// The pattern that the service model has, shown in errors.
  static let pattern = Pattern(
    #"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})"#
  )

  /// - Parameter text: matches the pattern; for anything else the result may be nil.
  init?(_ text: String) {
    guard text.contains(":") else {
      place = nil
      name = text
      return
    }
    guard let arn = ARN(text), arn.resource.hasPrefix("layer:"), let account = Account(arn.account),
      let region = Region(arn.region)
    else { return nil }
    place = Place(account: account, region: region)
    name = String(arn.resource.dropFirst("layer:".count))
  }
}

/// A layer that a caller has named; it may be in another account or region, or nowhere.
struct LayerReference: Sendable, Hashable {
  let place: Place
  let name: String

  var key: ResourceKey { ResourceKey(place: place, name: name) }
  var arn: String { ARN(service: "lambda", place: place, resource: "layer:\(name)").description }
  func arn(of version: Int) -> String { "\(arn):\(version)" }
}

/// The ARN of a layer version.
struct LayerVersionReference: Sendable, Equatable {
  let layer: LayerReference
  let version: Int
  /// As the caller gave it.
  let arn: String

  /// As AWS's answers show it.
  static let pattern = Pattern(
    #"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"#
  )

  /// nil for what is not a version's ARN, and for `awslayer` ones: Martlet has no layers of AWS's own.
  init?(_ text: String) {
    guard let last = text.lastIndex(of: ":"), let version = Int(text[text.index(after: last)...]),
      let parts = LayerNameParts(String(text[..<last])), let place = parts.place
    else { return nil }
    layer = LayerReference(place: place, name: parts.name)
    self.version = version
    arn = text
  }
}

extension Reader {
  /// Reads the path's `LayerName`; what is wrong with it is recorded.
  func layerName() -> LayerNameParts? {
    LayerNameParts(path("LayerName", .length(1, 2048), .pattern(LayerNameParts.pattern)))
  }

  /// Reads the path's `VersionNumber`; what is no number is recorded.
  func layerVersion() -> Int { pathInteger("VersionNumber") ?? 0 }
}

extension LambdaService {
  /// - Parameter name: nil only if the reader has recorded a violation, after which no operation is answered.
  func layer(_ name: LayerNameParts?, _ call: Call) -> LayerReference {
    guard let name else { preconditionFailure("the reader refuses a request without a valid name") }
    return LayerReference(place: name.place ?? call.place, name: name.name)
  }

  /// The same for what only the layer's own account may do.
  /// - Parameter operation: as AWS names the action.
  func ownLayer(_ name: LayerNameParts?, _ call: Call, _ operation: String) throws(AWSError) -> LayerReference {
    let layer = self.layer(name, call)
    guard layer.place.account == call.place.account else {
      throw .layerDenied(layer.arn, action: "lambda:\(operation)", to: call.place.account)
    }
    return layer
  }

  /// The version that a caller asks to see.
  func layerVersion(
    _ layer: LayerReference, _ version: Int, _ call: Call
  ) throws(AWSError) -> LayerVersionAnswer {
    guard version >= 1 else { throw .layerVersionTooSmall() }
    let record = layers.find(layer, in: call.place)
    let found = record?.versions[version]
    if layer.place.account != call.place.account, found?.policy?.allows(call.place.account) != true {
      throw .layerDenied(layer.arn(of: version), action: LayerPolicy.action, to: call.place.account)
    }
    guard let record, let found else { throw .layerNotFound() }
    return LayerVersionAnswer(
      layer: record, version: found, location: packages.link(to: found.package, host: call.host))
  }
}
