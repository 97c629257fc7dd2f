// Every function, in memory for the line and in the database for good. Changes reach the disk before they are seen.
import MartletCore
import MartletStore
import Synchronization

package final class FunctionTable: Sendable {
  private struct State {
    /// What everybody sees: on disk.
    var published: [FunctionKey: FunctionRecord] = [:]
    /// What the database's writer sees: changes of a transaction that is not committed yet are in it.
    var working: [FunctionKey: FunctionRecord] = [:]
    /// Numbers the changes.
    var serial: UInt64 = 0
    var publishedSerial: [FunctionKey: UInt64] = [:]
    var waiters: [FunctionKey: [CheckedContinuation<Bool, Never>]] = [:]
  }

  private let database: Database
  private let state = Mutex(State())

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
      ])
  ]

  /// Reads everything. The database must have been migrated.
  package init(database: Database) throws(Fault) {
    self.database = database
    let records = try FunctionTable.load(database)
    state.withLock {
      $0.published = records
      $0.working = records
    }
  }

  /// The function as it is on disk; nil if there is none.
  package func find(_ key: FunctionKey) -> FunctionRecord? { state.withLock { $0.published[key] } }

  /// All functions of an account and region, by name.
  package func list(_ place: Place) -> [FunctionRecord] {
    state.withLock { $0.published.values.filter { $0.key.place == place } }.sorted { $0.latest.name < $1.latest.name }
  }

  package var all: [FunctionRecord] { state.withLock { Array($0.published.values) } }

  /// Changes one function. `body` gets the newest record, nil if there is none, and leaves what shall be: nil deletes.
  /// Changes are made one after another; when this returns, the change is on disk and published; when it throws,
  /// nothing was changed.
  @discardableResult
  package func change<T: Sendable>(
    _ key: FunctionKey, _ body: @escaping @Sendable (inout FunctionRecord?) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    let outcome: Result<(value: T, record: FunctionRecord?, serial: UInt64), AWSError>
    do throws(Fault) {
      outcome = try await database.write { session in
        let before = self.state.withLock { $0.working[key] }
        var after = before
        do throws(AWSError) {
          let value = try body(&after)
          try FunctionTable.store(key, before: before, after: after, session)
          let serial = self.state.withLock { state in
            state.working[key] = after
            state.serial += 1
            return state.serial
          }
          return .success((value, after, serial))
        } catch {
          return .failure(error)
        }
      }
    } catch {
      state.withLock { $0.working[key] = $0.published[key] }
      throw .service("\(error)")
    }
    let done = try outcome.get()
    publish(key, done.record, serial: done.serial)
    return done.value
  }

  /// Returns when `isSettled` holds for the function as it is on disk.
  package func wait(for key: FunctionKey, until isSettled: @Sendable (FunctionRecord?) -> Bool) async {
    while true {
      let settled = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let now = state.withLock { state in
          if isSettled(state.published[key]) { return true }
          state.waiters[key, default: []].append(continuation)
          return false
        }
        if now { continuation.resume(returning: true) }
      }
      if settled { return }
    }
  }

  /// Changes of one function may finish out of order; an older one never hides a newer one.
  private func publish(_ key: FunctionKey, _ record: FunctionRecord?, serial: UInt64) {
    let waiters = state.withLock { state in
      if serial > state.publishedSerial[key] ?? 0 {
        state.publishedSerial[key] = serial
        state.published[key] = record
      }
      return state.waiters.removeValue(forKey: key) ?? []
    }
    for waiter in waiters { waiter.resume(returning: false) }
  }
}

// MARK: - Queries

extension FunctionTable {
  private static func load(_ database: Database) throws(Fault) -> [FunctionKey: FunctionRecord] {
    try database.read { session in
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
          if case .number(let n) = configuration.version { record.published[n] = configuration }
        }
        record.nextVersion = row.integer("next_version")
        record.tags = Tags.parse(row.text("tags"))
        records[key] = record
      }
      return records
    }
  }

  private static func key(of row: SQLRow) throws(Fault) -> FunctionKey {
    guard let account = Account(row.text("account")), let region = Region(row.text("region")) else {
      throw Fault("read functions", "a row has no valid account and region")
    }
    return FunctionKey(place: Place(account: account, region: region), name: row.text("name"))
  }

  /// Writes the difference between two records of a function.
  private static func store(
    _ key: FunctionKey, before: FunctionRecord?, after: FunctionRecord?, _ session: SQLSession
  ) throws(AWSError) {
    let names: [SQLValue] = [.text(key.place.account.id), .text(key.place.region.name), .text(key.name)]
    let `where` = "WHERE account = ? AND region = ? AND name = ?"
    do throws(Fault) {
      guard let after else {
        try session.execute("DELETE FROM functions \(`where`)", names)
        try session.execute("DELETE FROM function_versions \(`where`)", names)
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
    } catch {
      throw .service("\(error)")
    }
  }
}
