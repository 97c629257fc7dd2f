// Every layer, in memory for readers and in the database for good, and the bytes that they take.
import MartletCore
import MartletStore
import Synchronization

package final class LayerTable: Sendable {
  /// Changes and queries by name.
  package let catalogue: Catalogue<Layer>
  private let sizes: SizeByPlace

  /// Reads everything. The database must have been migrated.
  package init(database: Database) throws(Fault) {
    let sizes = SizeByPlace()
    self.sizes = sizes
    catalogue = try Catalogue(database: database) { sizes.count(before: $0, after: $1) }
  }

  package var all: [Layer] { catalogue.all }

  /// Bytes of all packages of all versions in an account and region.
  package func codeSize(_ place: Place) -> Int { sizes.bytes.withLock { $0[place] ?? 0 } }

  /// The layer as it is on disk; nil if there is none, or if the name leads to another region.
  func find(_ name: LayerReference, in place: Place) -> Layer? {
    name.place.region == place.region ? catalogue.find(name.key) : nil
  }

  /// Changes a version that must be there.
  /// - Throws: AWS's 404 if it is not, besides what `body` throws.
  func update<T: Sendable>(
    _ name: LayerReference, version: Int, in place: Place,
    _ body: @escaping @Sendable (inout LayerVersion) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    guard name.place.region == place.region else { throw .layerVersionNotFound(name.arn(of: version)) }
    return try await catalogue.change(name.key) { (after: inout Layer?) throws(AWSError) -> T in
      guard var layer = after, var changed = layer.versions[version] else {
        throw .layerVersionNotFound(name.arn(of: version))
      }
      let value = try body(&changed)
      layer.versions[version] = changed
      after = layer
      return value
    }
  }
}

/// Kept up to date change by change, so that nobody has to walk over all layers.
private final class SizeByPlace: Sendable {
  let bytes = Mutex<[Place: Int]>([:])

  func count(before: Layer?, after: Layer?) {
    guard let place = (after ?? before)?.key.place else { return }
    let more = (after?.codeSize ?? 0) - (before?.codeSize ?? 0)
    if more != 0 { bytes.withLock { $0[place, default: 0] += more } }
  }
}
