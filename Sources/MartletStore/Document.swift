// Records that are one text each: they share one table, so that a new kind of resource needs no schema of its own.
import MartletCore

/// A record that is written and read whole.
package protocol Document: CatalogueRecord {
  /// Tells the kinds apart in the table. Never changed once released.
  static var kind: String { get }
  /// The record as text, without its key.
  var document: String { get }
  /// - Throws: a `Fault` that names what is damaged.
  init(document: String, key: ResourceKey) throws(Fault)
}

package enum Documents {
  package static let migrations = [
    Migration(
      "documents-1",
      [
        """
        CREATE TABLE documents (
          kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL,
          PRIMARY KEY (kind, account, region, name))
        """
      ])
  ]
}

extension Document {
  package static func load(_ session: SQLSession) throws(Fault) -> [Self] {
    let rows = try session.rows(
      "SELECT account, region, name, document FROM documents WHERE kind = ?", [.text(kind)])
    var records: [Self] = []
    for row in rows {
      guard let account = Account(row.text("account")), let region = Region(row.text("region")) else {
        throw Fault("read \(kind)", "a row has no valid account and region")
      }
      let key = ResourceKey(place: Place(account: account, region: region), name: row.text("name"))
      records.append(try Self(document: row.text("document"), key: key))
    }
    return records
  }

  package static func store(
    _ key: ResourceKey, before: Self?, after: Self?, _ session: SQLSession
  ) throws(Fault) {
    let names: [SQLValue] = [
      .text(kind), .text(key.place.account.id), .text(key.place.region.name), .text(key.name),
    ]
    guard let after else {
      try session.execute("DELETE FROM documents WHERE kind = ? AND account = ? AND region = ? AND name = ?", names)
      return
    }
    try session.execute(
      """
      INSERT INTO documents (kind, account, region, name, document) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (kind, account, region, name) DO UPDATE SET document = excluded.document
      """, names + [.text(after.document)])
  }
}
