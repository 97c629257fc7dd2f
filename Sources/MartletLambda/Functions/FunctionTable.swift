// Every function, in memory for the line and in the database for good, and the sums over them that limits look at.
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class FunctionTable: Sendable {
  /// What the functions of an account and region amount to.
  package struct Figures: Sendable, Equatable {
    package var functions = 0
    /// Bytes of all packages of all versions.
    package var codeSize = 0
    /// Concurrency that is set aside for some functions and out of reach of the others.
    package var setAside = 0
  }

  /// Changes and queries by name.
  package let catalogue: Catalogue<FunctionRecord>
  private let figures: FiguresByPlace
  private let observers: Observers

  /// Reads everything. The database must have been migrated.
  package init(database: Database) throws(Fault) {
    let (figures, observers) = (FiguresByPlace(), Observers())
    self.figures = figures
    self.observers = observers
    catalogue = try Catalogue(database: database) { before, after in
      figures.count(before: before, after: after)
      observers.tell(before, after)
    }
  }

  /// The function as it is on disk; nil if there is none.
  package func find(_ key: FunctionKey) -> FunctionRecord? { catalogue.find(key) }

  /// Another number whenever a function has changed; see `Catalogue.generation`.
  package var generation: UInt64 { catalogue.generation }

  package var all: [FunctionRecord] { catalogue.all }

  /// The functions after `last` in the order of their names, no more than `count` of them.
  package func page(_ place: Place, after last: String?, count: Int) -> [FunctionRecord] {
    catalogue.page(place, after: last, count: count)
  }

  /// Calls `body` after every change that is on disk, on the database's thread: it must only take notice.
  package func observe(_ body: @escaping @Sendable (_ before: FunctionRecord?, _ after: FunctionRecord?) -> Void) {
    observers.add(body)
  }

  package func figures(_ place: Place) -> Figures { figures.byPlace.withLock { $0[place] ?? Figures() } }

  /// Concurrency that is set aside for all functions but one, as the writer sees it. For the bodies of changes.
  package func setAside(besides key: FunctionKey) -> Int {
    catalogue.newest(in: key.place).reduce(0) { $0 + ($1.key == key ? 0 : $1.concurrencySetAside) }
  }

  /// See `Catalogue.change`.
  @discardableResult
  package func change<T: Sendable>(
    _ key: FunctionKey, _ body: @escaping @Sendable (inout FunctionRecord?) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    try await catalogue.change(key, body)
  }

  /// Changes a function that must be there.
  /// - Throws: 404 if it is not, besides what `body` throws.
  @discardableResult
  package func update<T: Sendable>(
    _ key: FunctionKey, _ body: @escaping @Sendable (inout FunctionRecord) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    try await catalogue.change(key) { (after: inout FunctionRecord?) throws(AWSError) -> T in
      guard var record = after else {
        throw .functionNotFound(FunctionReference(key: key, qualifier: nil).arn)
      }
      let value = try body(&record)
      after = record
      return value
    }
  }

  /// Returns when `isSettled` holds for the function as it is on disk.
  package func wait(for key: FunctionKey, until isSettled: @Sendable (FunctionRecord?) -> Bool) async {
    await catalogue.wait(for: key, until: isSettled)
  }
}

private final class Observers: Sendable {
  private let all = Mutex<[@Sendable (FunctionRecord?, FunctionRecord?) -> Void]>([])

  func add(_ body: @escaping @Sendable (FunctionRecord?, FunctionRecord?) -> Void) { all.withLock { $0.append(body) } }

  func tell(_ before: FunctionRecord?, _ after: FunctionRecord?) {
    for body in all.withLock({ $0 }) { body(before, after) }
  }
}

/// Kept up to date change by change, so that nobody has to walk over all functions.
private final class FiguresByPlace: Sendable {
  let byPlace = Mutex<[Place: FunctionTable.Figures]>([:])

  func count(before: FunctionRecord?, after: FunctionRecord?) {
    guard let place = (after ?? before)?.key.place else { return }
    byPlace.withLock { figures in
      var sum = figures[place] ?? FunctionTable.Figures()
      if let before { sum.add(before, times: -1) }
      if let after { sum.add(after, times: 1) }
      figures[place] = sum
    }
  }
}

extension FunctionTable.Figures {
  fileprivate mutating func add(_ record: FunctionRecord, times factor: Int) {
    functions += factor
    codeSize += factor * record.codeSize
    setAside += factor * record.concurrencySetAside
  }
}

// MARK: - In the database

extension FunctionRecord: CatalogueRecord {
  package static let migrations = [
    Migration(
      "functions-1",
      [
        """
        CREATE TABLE functions (
          account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
          next_version BIGINT NOT NULL, tags TEXT NOT NULL,
          PRIMARY KEY (account, region, name))
        """,
        """
        CREATE TABLE function_versions (
          account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
          configuration TEXT NOT NULL,
          PRIMARY KEY (account, region, name, version))
        """,
      ]),
    Migration(
      "functions-2",
      [
        """
        CREATE TABLE function_attachments (
          account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, qualifier TEXT NOT NULL,
          value TEXT NOT NULL,
          PRIMARY KEY (account, region, name, kind, qualifier))
        """
      ]),
    // What a server wants to know of every version without reading it.
    Migration(
      "functions-3",
      [
        "ALTER TABLE function_versions ADD COLUMN packages TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE function_versions ADD COLUMN code_size BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE function_versions ADD COLUMN is_pending BIGINT NOT NULL DEFAULT 1",
        """
        UPDATE function_versions SET packages = json_extract(configuration, '$._.CodeKey'),
          code_size = json_extract(configuration, '$.CodeSize')
        """,
      ]),
  ]

  package static func load(_ session: SQLSession) throws(Fault) -> [FunctionRecord] {
    var reader = FunctionReader()
    try reader.readVersions(session)
    try reader.readFunctions(session)
    try reader.readAttachments(session)
    return Array(reader.records.values)
  }

  package static func store(
    _ key: FunctionKey, before: FunctionRecord?, after: FunctionRecord?, _ session: SQLSession
  ) throws(Fault) {
    let names: [SQLValue] = [.text(key.place.account.id), .text(key.place.region.name), .text(key.name)]
    let `where` = "WHERE account = ? AND region = ? AND name = ?"
    guard let after else {
      for table in ["functions", "function_versions", "function_attachments"] {
        try session.execute("DELETE FROM \(table) \(`where`)", names)
      }
      return
    }
    try session.execute(
      """
      INSERT INTO functions (account, region, name, next_version, tags) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (account, region, name) DO UPDATE SET next_version = excluded.next_version, tags = excluded.tags
      """, names + [.integer(Int64(after.nextVersion)), .text(Tags.text(after.tags))])
    for (version, stored) in after.versions where stored !== before?.stored(version) {
      try session.execute(
        """
        INSERT INTO function_versions (account, region, name, version, configuration, packages, code_size, is_pending)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (account, region, name, version) DO UPDATE SET configuration = excluded.configuration,
          packages = excluded.packages, code_size = excluded.code_size, is_pending = excluded.is_pending
        """,
        names + [
          .text(version.description), .text(stored.configuration.record),
          .text(stored.packages.joined(separator: " ")), .integer(Int64(stored.codeSize)),
          .integer(stored.isPending ? 1 : 0),
        ])
    }
    for (version, _) in before?.versions ?? [] where after.stored(version) == nil {
      try session.execute(
        "DELETE FROM function_versions \(`where`) AND version = ?", names + [.text(version.description)])
    }
    for kind in AttachmentKind.all {
      for (qualifier, value) in kind.changes(before, after) {
        let row = names + [.text(kind.name), .text(qualifier)]
        guard let value else {
          try session.execute("DELETE FROM function_attachments \(`where`) AND kind = ? AND qualifier = ?", row)
          continue
        }
        try session.execute(
          """
          INSERT INTO function_attachments (account, region, name, kind, qualifier, value) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (account, region, name, kind, qualifier) DO UPDATE SET value = excluded.value
          """, row + [.text(value)])
      }
    }
  }
}

/// Puts records together from the rows of three tables.
private struct FunctionReader {
  private(set) var records: [FunctionKey: FunctionRecord] = [:]
  private var versions: [FunctionKey: [(VersionName, StoredVersion)]] = [:]
  /// Most rows are of the place of the row before.
  private var place: Place?

  mutating func readVersions(_ session: SQLSession) throws(Fault) {
    try session.forEach(
      """
      SELECT account, region, name, version, packages, code_size, is_pending, configuration FROM function_versions
      """
    ) { (row) throws(Fault) in
      let key = try key(of: row)
      guard let version = VersionName(row.text(3)) else {
        throw Fault("read functions", "a version of \(key.name) has the name \(row.text(3))")
      }
      let stored = StoredVersion(
        row: row.text(7), packages: row.text(4).split(separator: " ").map(String.init), codeSize: row.integer(5),
        isPending: row.integer(6) != 0, place: key.place)
      if version == .latest {
        records[key] = FunctionRecord(key: key, latest: stored)
      } else {
        versions[key, default: []].append((version, stored))
      }
    }
  }

  mutating func readFunctions(_ session: SQLSession) throws(Fault) {
    try session.forEach("SELECT account, region, name, next_version, tags FROM functions") { (row) throws(Fault) in
      let key = try key(of: row)
      guard var record = records.removeValue(forKey: key) else {
        throw Fault("read functions", "function \(key.name) has no $LATEST in the database")
      }
      for (version, stored) in versions[key] ?? [] { record.put(stored, as: version) }
      record.nextVersion = row.integer(3)
      let tags = row.text(4)
      record.tags = tags == "{}" ? [] : Tags.parse(tags)
      records[key] = record
    }
  }

  mutating func readAttachments(_ session: SQLSession) throws(Fault) {
    try session.forEach(
      "SELECT account, region, name, kind, qualifier, value FROM function_attachments"
    ) { (row) throws(Fault) in
      let (key, kind, value) = (try key(of: row), row.text(3), row.text(5))
      guard let json = try? JSONValue(parsing: value),
        let reader = AttachmentKind.all.first(where: { $0.name == kind }),
        reader.read(json, row.text(4), &records[key])
      else { throw Fault("read functions", "a \(kind) of \(key.name) is damaged: \(value.prefix(200))") }
    }
  }

  private mutating func key(of row: SQLCells) throws(Fault) -> FunctionKey {
    let (account, region) = (row.text(0), row.text(1))
    if let place, place.account.id == account, place.region.name == region {
      return FunctionKey(place: place, name: row.text(2))
    }
    guard let account = Account(account), let region = Region(region) else {
      throw Fault("read functions", "a row has no valid account and region")
    }
    let place = Place(account: account, region: region)
    self.place = place
    return FunctionKey(place: place, name: row.text(2))
  }
}
