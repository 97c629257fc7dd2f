// The alias of an account; it has one at most.
import MartletCore
import MartletStore
import MartletWire

struct AccountAlias: Document {
  static let kind = "iam-account-alias"
  let key: ResourceKey
  let alias: String

  init(_ alias: String, place: Place) {
    key = AccountAlias.key(place)
    self.alias = alias
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    alias = document
    self.key = key
  }

  var document: String { alias }

  static func key(_ place: Place) -> ResourceKey { ResourceKey(place: place, name: "alias") }
}
