// Buckets, and the versions of objects in them, in the database: what each change does as one transaction.
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

struct S3Catalogue: Sendable {
  private let database: Database
  private let outbox: Outbox
  private let threads: NIOThreadPool

  init(database: Database, outbox: Outbox, threads: NIOThreadPool = .singleton) {
    self.database = database
    self.outbox = outbox
    self.threads = threads
  }

  static let migrations = [
    Migration(
      "s3-1",
      [
        """
        CREATE TABLE s3_buckets (
          name TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, created BIGINT NOT NULL,
          versioning TEXT NOT NULL)
        """,
        """
        CREATE TABLE s3_versions (
          bucket TEXT NOT NULL, object TEXT NOT NULL, sequence BIGINT NOT NULL, version TEXT NOT NULL,
          latest BIGINT NOT NULL, marker BIGINT NOT NULL, size BIGINT NOT NULL, etag TEXT NOT NULL,
          modified BIGINT NOT NULL, file TEXT NOT NULL, attributes TEXT NOT NULL,
          PRIMARY KEY (bucket, object, sequence))
        """,
        "CREATE INDEX s3_latest ON s3_versions (bucket, object) WHERE latest = 1 AND marker = 0",
        """
        CREATE TABLE s3_uploads (
          id TEXT NOT NULL PRIMARY KEY, bucket TEXT NOT NULL, object TEXT NOT NULL, created BIGINT NOT NULL,
          attributes TEXT NOT NULL)
        """,
        """
        CREATE TABLE s3_parts (
          upload TEXT NOT NULL, part BIGINT NOT NULL, size BIGINT NOT NULL, etag TEXT NOT NULL,
          modified BIGINT NOT NULL, file TEXT NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (upload, part))
        """,
      ]),
    Migration(
      "s3-2",
      [
        """
        CREATE TABLE s3_settings (
          bucket TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL,
          PRIMARY KEY (bucket, kind, id))
        """
      ]),
  ]

  // MARK: - The two ways in

  func read<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws(Fault) -> Result<T, AWSError>
  ) async throws(AWSError) -> T {
    let (database, result): (Database, Result<T, AWSError>)
    database = self.database
    do {
      result = try await threads.runIfActive { try database.read { try body($0) } }
    } catch {
      throw .service("\(error)")
    }
    return try result.get()
  }

  /// - Parameter body: decides first and writes afterwards: what it wrote stays even if it answers with an error.
  func write<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws(Fault) -> Result<T, AWSError>
  ) async throws(AWSError) -> T {
    let result: Result<T, AWSError>
    do throws(Fault) {
      result = try await database.write { try body($0) }
    } catch {
      throw .service("\(error)")
    }
    return try result.get()
  }

  /// The same for what others are to be told of: it is written down in the same transaction, and on its way after it.
  func writeTelling<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws(Fault) -> Result<(T, [Parcel.Draft]), AWSError>
  ) async throws(AWSError) -> T {
    let result: Result<T, AWSError>
    let outbox = outbox
    let written = Mutex<[Parcel]>([])
    do throws(Fault) {
      result = try await database.write(
        { session in
          switch try body(session) {
          case .failure(let error): return .failure(error)
          case .success((let value, let drafts)):
            if !drafts.isEmpty {
              let parcels = try outbox.write(drafts, session)
              written.withLock { $0 = parcels }
            }
            return .success(value)
          }
        }, ended: { fault in if fault == nil { outbox.begin(written.withLock { $0 }) } })
    } catch {
      throw .service("\(error)")
    }
    return try result.get()
  }

  /// The names of all files that anything needs.
  func files() throws(Fault) -> Set<String> {
    try database.read { session throws(Fault) in
      var names: Set<String> = []
      for table in ["s3_versions", "s3_parts"] {
        for row in try session.rows("SELECT file FROM \(table) WHERE file <> ''") { names.insert(row.text("file")) }
      }
      return names
    }
  }
}

extension SQLSession {
  // MARK: - Buckets

  func bucket(_ name: String) throws(Fault) -> S3Bucket? {
    try rows("SELECT * FROM s3_buckets WHERE name = ?", [.text(name)]).first.map { row throws(Fault) in
      try bucket(row)
    }
  }

  func buckets(of account: Account) throws(Fault) -> [S3Bucket] {
    var list: [S3Bucket] = []
    for row in try rows("SELECT * FROM s3_buckets WHERE account = ? ORDER BY name", [.text(account.id)]) {
      list.append(try bucket(row))
    }
    return list
  }

  private func bucket(_ row: SQLRow) throws(Fault) -> S3Bucket {
    guard let account = Account(row.text("account")), let region = Region(row.text("region")),
      let versioning = S3Bucket.Versioning(rawValue: row.text("versioning"))
    else { throw Fault("read buckets", "a row is damaged") }
    return S3Bucket(
      name: row.text("name"), place: Place(account: account, region: region),
      created: Timestamp(nanoseconds: Int64(row.integer("created"))), versioning: versioning)
  }

  func store(_ bucket: S3Bucket) throws(Fault) {
    try execute(
      """
      INSERT INTO s3_buckets (name, account, region, created, versioning) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET versioning = excluded.versioning
      """,
      [
        .text(bucket.name), .text(bucket.place.account.id), .text(bucket.place.region.name),
        .integer(bucket.created.nanoseconds), .text(bucket.versioning.rawValue),
      ])
  }

  func deleteBucket(_ name: String) throws(Fault) {
    try execute("DELETE FROM s3_buckets WHERE name = ?", [.text(name)])
    try forgetSettings(of: name)
  }

  /// True if the bucket has any version of any object.
  func hasVersions(_ bucket: String) throws(Fault) -> Bool {
    try !rows("SELECT sequence FROM s3_versions WHERE bucket = ? LIMIT 1", [.text(bucket)]).isEmpty
  }

  // MARK: - Versions

  func latest(_ bucket: String, _ key: String) throws(Fault) -> S3Object? {
    try rows(
      "SELECT * FROM s3_versions WHERE bucket = ? AND object = ? ORDER BY sequence DESC LIMIT 1",
      [.text(bucket), .text(key)]
    ).first.map { row throws(Fault) in try S3Object(row) }
  }

  func version(_ bucket: String, _ key: String, _ version: String) throws(Fault) -> S3Object? {
    try rows(
      "SELECT * FROM s3_versions WHERE bucket = ? AND object = ? AND version = ?",
      [.text(bucket), .text(key), .text(version)]
    ).first.map { row throws(Fault) in try S3Object(row) }
  }

  /// Makes a version the newest one.
  func insert(_ bucket: String, _ object: S3Object) throws(Fault) {
    let names: [SQLValue] = [.text(bucket), .text(object.key)]
    try execute("UPDATE s3_versions SET latest = 0 WHERE bucket = ? AND object = ? AND latest = 1", names)
    try execute(
      """
      INSERT INTO s3_versions
        (bucket, object, sequence, version, latest, marker, size, etag, modified, file, attributes)
      VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
      """,
      names + [
        .integer(object.sequence), .text(object.version), .integer(object.isMarker ? 1 : 0),
        .integer(Int64(object.size)), .text(object.etag), .integer(object.modified.nanoseconds), .text(object.file),
        .text(object.attributes),
      ])
  }

  /// Keeps what is said of a version, which is all that can change of it.
  func update(_ bucket: String, _ object: S3Object) throws(Fault) {
    try execute(
      "UPDATE s3_versions SET attributes = ? WHERE bucket = ? AND object = ? AND sequence = ?",
      [.text(object.attributes), .text(bucket), .text(object.key), .integer(object.sequence)])
  }

  /// Forgets a version; the newest of the others becomes the newest.
  func delete(_ bucket: String, _ object: S3Object) throws(Fault) {
    let names: [SQLValue] = [.text(bucket), .text(object.key)]
    try execute(
      "DELETE FROM s3_versions WHERE bucket = ? AND object = ? AND sequence = ?", names + [.integer(object.sequence)])
    guard object.isLatest, let next = try latest(bucket, object.key) else { return }
    try execute(
      "UPDATE s3_versions SET latest = 1 WHERE bucket = ? AND object = ? AND sequence = ?",
      names + [.integer(next.sequence)])
  }

  /// Versions in the order of keys and, of one key, from the newest to the oldest.
  /// - Parameters:
  ///   - after: the key to begin behind, or with that key behind a version's sequence.
  ///   - isLatest: only what GET would find.
  func versions(
    _ bucket: String, prefix: String, after: (key: String, sequence: Int64?)?, isLatest: Bool, count: Int
  ) throws(Fault) -> [S3Object] {
    let filter = isLatest ? "latest = 1 AND marker = 0 AND" : ""
    var condition = "object >= ?"
    var arguments: [SQLValue] = [.text(bucket), .text(prefix)]
    if let after, !after.key.isBefore(prefix) {
      condition = "object > ?"
      arguments[1] = .text(after.key)
      if let sequence = after.sequence {
        condition = "(object > ? OR (object = ? AND sequence < ?))"
        arguments += [.text(after.key), .integer(sequence)]
      }
    }
    var list: [S3Object] = []
    for row in try rows(
      "SELECT * FROM s3_versions WHERE \(filter) bucket = ? AND \(condition) ORDER BY object, sequence DESC LIMIT ?",
      arguments + [.integer(Int64(count))])
    {
      list.append(try S3Object(row))
    }
    return list
  }
}

extension S3Object {
  fileprivate init(_ row: SQLRow) throws(Fault) {
    self.init(
      key: row.text("object"), version: row.text("version"), sequence: Int64(row.integer("sequence")),
      modified: Timestamp(nanoseconds: Int64(row.integer("modified"))))
    isLatest = row.integer("latest") == 1
    isMarker = row.integer("marker") == 1
    size = row.integer("size")
    etag = row.text("etag")
    file = row.text("file")
    try read(attributes: row.text("attributes"))
  }
}

extension String {
  /// In the order of UTF-8, which is the order of keys.
  func isBefore(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

  /// Keys are bytes: letters that Unicode calls equivalent are different ones.
  func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
