// The layers of a function: what a request names, checked, and what the function keeps of it.
// https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
import MartletCore
import MartletStore
import MartletWire

/// A layer version as a function keeps it: enough to run, even when the version has been deleted.
package struct FunctionLayer: Sendable, Equatable {
  package let arn: String
  package let package: CodePackage

  package init(arn: String, package: CodePackage) {
    self.arn = arn
    self.package = package
  }
}

extension FunctionConfiguration {
  /// The tree that becomes /opt; nil if there are no layers.
  package var layerTree: String? { CodePackages.layerTree(layers.map(\.package)) }

  /// The names of all packages and trees that the version needs to run.
  package var packageKeys: [String] {
    [code.key] + layers.map(\.package.key) + [layerTree].compactMap { $0 }
  }
}

extension LayerTable {
  /// The layers that a function shall have, in the order of the request; the last has precedence.
  /// - Parameters:
  ///   - arns: match the model's pattern.
  ///   - isWriting: called from the body of a change, to see what the writer sees.
  fileprivate func resolve(_ arns: [String], for place: Place, isWriting: Bool) throws(AWSError) -> [FunctionLayer] {
    var layers: [FunctionLayer] = []
    var seen: [LayerReference: String] = [:]
    for arn in arns {
      guard let named = LayerVersionReference(arn) else { throw .layerVersionMissing(arn) }
      let isHere = named.layer.place.region == place.region
      let isOwn = named.layer.place.account == place.account
      guard isHere || !isOwn else { throw .layerRegion(place.region) }
      let layer = isWriting ? catalogue.newest(named.layer.key) : catalogue.find(named.layer.key)
      let version = isHere ? layer?.versions[named.version] : nil
      if !isOwn, version?.policy?.allows(place.account) != true {
        throw .layerDenied(arn, action: LayerPolicy.action, to: place.account)
      }
      guard let version else { throw .layerVersionMissing(arn) }
      if let other = seen.updateValue(arn, forKey: named.layer) { throw .sameLayerTwice(other, arn) }
      layers.append(FunctionLayer(arn: arn, package: version.package))
    }
    return layers
  }
}

extension LambdaService {
  /// The layers that a request names; nil if it does not speak of layers.
  /// - Parameter isWriting: called from the body of a change.
  func layers(_ arns: [String]?, _ place: Place, isWriting: Bool = false) throws(AWSError) -> [FunctionLayer]? {
    guard let arns else { return nil }
    guard arns.count <= limits.layers else { throw .tooManyLayers(limits.layers) }
    return try layers.resolve(arns, for: place, isWriting: isWriting)
  }
}

extension LambdaLimits {
  /// Refuses code that is too large together with its layers.
  func requireFit(_ code: CodePackage, _ layers: [FunctionLayer]) throws(AWSError) {
    guard !layers.isEmpty else { return }
    let size = layers.reduce(code.unpackedSize) { $0 + $1.package.unpackedSize }
    guard size <= codeSizeUnzipped.bytes else { throw .codeWithLayersTooLarge(size, limit: codeSizeUnzipped) }
  }
}
