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
  ]

  package static func load(_ session: SQLSession) throws(Fault) -> [FunctionRecord] {
    var versions: [FunctionKey: [FunctionConfiguration]] = [:]
    for row in try session.rows("SELECT account, region, name, configuration FROM function_versions") {
      let key = try key(of: row)
      versions[key, default: []].append(
        try FunctionConfiguration(record: row.text("configuration"), place: key.place))
    }
    var records: [FunctionKey: FunctionRecord] = [:]
    for row in try session.rows("SELECT account, region, name, next_version, tags FROM functions") {
      let key = try key(of: row)
      guard let latest = versions[key]?.first(where: { $0.version == .latest }) else {
        throw Fault("read functions", "function \(key.name) has no $LATEST in the database")
      }
      var record = FunctionRecord(latest: latest)
      for configuration in versions[key] ?? [] {
        switch configuration.version {
        case .latest: break
        case .latestPublished: record.latestPublished = configuration
        case .number(let n): record.published[n] = configuration
        }
      }
      record.nextVersion = row.integer("next_version")
      record.tags = Tags.parse(row.text("tags"))
      records[key] = record
    }
    for row in try session.rows("SELECT account, region, name, kind, qualifier, value FROM function_attachments") {
      let (kind, value) = (row.text("kind"), row.text("value"))
      guard let json = try? JSONValue(parsing: value),
        let reader = AttachmentKind.all.first(where: { $0.name == kind }),
        reader.read(json, row.text("qualifier"), &records[try key(of: row)])
      else { throw Fault("read functions", "a \(kind) is damaged: \(value.prefix(200))") }
    }
    return Array(records.values)
  }

  private static func key(of row: SQLRow) throws(Fault) -> FunctionKey {
    guard let account = Account(row.text("account")), let region = Region(row.text("region")) else {
      throw Fault("read functions", "a row has no valid account and region")
    }
    return FunctionKey(place: Place(account: account, region: region), name: row.text("name"))
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
    for configuration in after.versions where configuration != before?.configuration(configuration.version) {
      try session.execute(
        """
        INSERT INTO function_versions (account, region, name, version, configuration) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (account, region, name, version) DO UPDATE SET configuration = excluded.configuration
        """, names + [.text(configuration.version.description), .text(configuration.record)])
    }
    for number in (before?.published ?? [:]).keys where after.published[number] == nil {
      try session.execute("DELETE FROM function_versions \(`where`) AND version = ?", names + [.text(String(number))])
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
