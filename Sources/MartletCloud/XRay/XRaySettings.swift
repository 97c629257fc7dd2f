// What an account has set in a region once for all of its traces.
import MartletCore
import MartletStore
import MartletWire

package struct XRaySettings: Document, Equatable {
  package static let kind = "xray-settings"
  static let name = "settings"

  package let key: ResourceKey
  /// nil: X-Ray's own encryption. Kept, without effect.
  var encryptionKey: String?

  init(key: ResourceKey) { self.key = key }

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else {
      throw Fault("read X-Ray's settings", "they are damaged")
    }
    self.key = key
    encryptionKey = json["key"]?.string
  }

  package var document: String {
    JSONValue.members(("key", encryptionKey.map { .string($0) })).text
  }
}
