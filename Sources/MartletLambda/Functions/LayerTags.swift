// Tags of a layer. They belong to all of its versions, and end with the last one.
import MartletCore
import MartletStore
import MartletWire

extension LambdaService {
  /// The layer whose tags are meant; nil if something else is.
  /// - Parameter resource: matches the pattern of what can have tags.
  func taggedLayer(_ resource: String, _ call: Call, _ operation: String) throws(AWSError) -> LayerReference? {
    guard let parts = LayerNameParts(resource), parts.place != nil else { return nil }
    let layer = try ownLayer(parts, call, operation)
    guard layers.find(layer, in: call.place)?.versions.isEmpty == false else { throw .layerNotFound() }
    return layer
  }

  func tags(of layer: LayerReference) throws(AWSError) -> [(key: String, value: String)] {
    guard let record = layers.catalogue.find(layer.key) else { throw .layerNotFound() }
    return record.tags
  }

  func changeTags(_ layer: LayerReference, _ body: @escaping Tags.Change) async throws(AWSError) {
    try await layers.catalogue.change(layer.key) { (after: inout Layer?) throws(AWSError) -> Void in
      guard var record = after, !record.versions.isEmpty else { throw .layerNotFound() }
      record.tags = try body(record.tags)
      after = record
    }
  }
}
