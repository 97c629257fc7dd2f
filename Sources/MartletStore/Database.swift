// The embedded database: three verbs (read, write, migrate) and a dialect that SQLite and PostgreSQL share.
import Foundation
import GRDB
import MartletCore
import Synchronization

/// A value in a row or a parameter of a statement.
package enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])
}

/// One row of a result; columns by name.
package struct SQLRow: Sendable {
  private let columns: [String: SQLValue]

  fileprivate init(_ row: GRDB.Row) {
    var columns: [String: SQLValue] = [:]
    for (name, value) in row {
      columns[name] =
        switch value.storage {
        case .null: .null
        case .int64(let n): .integer(n)
        case .double(let d): .integer(Int64(d))
        case .string(let s): .text(s)
        case .blob(let b): .blob(Array(b))
        }
    }
    self.columns = columns
  }

  package func text(_ name: String) -> String {
    guard case .text(let s)? = columns[name] else { preconditionFailure("column \(name) is not text") }
    return s
  }

  package func integer(_ name: String) -> Int {
    guard case .integer(let n)? = columns[name] else { preconditionFailure("column \(name) is not an integer") }
    return Int(n)
  }

  package func blob(_ name: String) -> [UInt8] {
    guard case .blob(let bytes)? = columns[name] else { preconditionFailure("column \(name) is not a blob") }
    return bytes
  }

  package func optionalInteger(_ name: String) -> Int? {
    guard case .integer(let n)? = columns[name] else { return nil }
    return Int(n)
  }
}

/// One row while it is being read; columns by their position in the statement.
package struct SQLCells {
  fileprivate let row: GRDB.Row

  package func text(_ position: Int) -> String { row[position] }
  package func integer(_ position: Int) -> Int { row[position] }
  package func blob(_ position: Int) -> [UInt8] { Array(row[position] as Data) }
}

/// What a read or a write may do with the database.
package struct SQLSession {
  fileprivate let db: GRDB.Database

  package func execute(_ sql: String, _ arguments: [SQLValue] = []) throws(Fault) {
    do {
      try db.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
    } catch {
      throw Fault("database write", "\(error)")
    }
  }

  /// Reads row by row, for results that are too many to be held.
  package func forEach(
    _ sql: String, _ arguments: [SQLValue] = [], _ body: (SQLCells) throws(Fault) -> Void
  ) throws(Fault) {
    do {
      let cursor = try Row.fetchCursor(
        db.cachedStatement(sql: sql), arguments: StatementArguments(arguments.map(\.databaseValue)))
      while let row = try cursor.next() { try body(SQLCells(row: row)) }
    } catch let fault as Fault {
      throw fault
    } catch {
      throw Fault("database read", "\(error)")
    }
  }

  package func rows(_ sql: String, _ arguments: [SQLValue] = []) throws(Fault) -> [SQLRow] {
    do {
      return try Row.fetchAll(
        db.cachedStatement(sql: sql), arguments: StatementArguments(arguments.map(\.databaseValue))
      ).map(SQLRow.init)
    } catch {
      throw Fault("database read", "\(error)")
    }
  }
}

extension SQLValue {
  fileprivate var databaseValue: DatabaseValue {
    switch self {
    case .null: .null
    case .integer(let n): n.databaseValue
    case .text(let s): s.databaseValue
    case .blob(let b): Data(b).databaseValue
    }
  }
}

/// SQLite in one file: write-ahead log, every commit on disk before it is acknowledged.
package final class Database: Sendable {
  private let pool: DatabasePool
  private let commits: GroupCommit

  /// Opens or creates the file. Throws a `Fault` that names the file.
  package init(path: String) throws(Fault) {
    do {
      var configuration = Configuration()
      configuration.label = "martlet"
      configuration.maximumReaderCount = 2
      pool = try DatabasePool(path: path, configuration: configuration)
      // GRDB sets synchronous to NORMAL while it opens a pool, so FULL has to be asked for afterwards.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch {
      throw Fault("open database \(path)", "\(error)")
    }
    commits = GroupCommit(pool: pool)
  }

  /// Brings the schema up to date. Migrations are applied once, in order, each in a transaction of its own.
  package func migrate(_ migrations: [Migration]) throws(Fault) {
    var migrator = DatabaseMigrator()
    for migration in migrations {
      migrator.registerMigration(migration.name) { db in
        for statement in migration.statements { try db.execute(sql: statement) }
      }
    }
    do {
      try migrator.migrate(pool)
    } catch {
      throw Fault("migrate database", "\(error)")
    }
  }

  /// Blocking; for start-up and for threads that may wait.
  package func read<T>(_ body: (SQLSession) throws -> T) throws(Fault) -> T {
    do {
      return try pool.read { try body(SQLSession(db: $0)) }
    } catch let fault as Fault {
      throw fault
    } catch {
      throw Fault("database read", "\(error)")
    }
  }

  /// Runs `body` in a transaction. When this returns, what it wrote is on disk; when it throws, nothing of it is.
  /// - Parameter ended: called on the writer's thread as soon as the transaction is on disk (nil) or lost, before any
  ///   later `body` runs and in the order of the bodies.
  package func write<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws -> T, ended: @escaping @Sendable (Fault?) -> Void = { _ in }
  ) async throws(Fault) -> T {
    let result: Result<T, Fault> = await withCheckedContinuation { continuation in
      commits.add { db in
        let result = Database.run(body, db)
        return { commitFault in
          ended(commitFault)
          continuation.resume(returning: commitFault.map { .failure($0) } ?? result)
        }
      }
    }
    return try result.get()
  }

  /// The same for whoever does not wait.
  /// - Parameter ended: called on the writer's thread with what `body` returned once that is on disk, or with why not.
  package func enqueue<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws -> T, ended: @escaping @Sendable (Result<T, Fault>) -> Void
  ) {
    commits.add { db in
      let result = Database.run(body, db)
      return { commitFault in ended(commitFault.map { .failure($0) } ?? result) }
    }
  }

  /// Runs `body` so that nothing stays of it if it throws.
  private static func run<T>(_ body: (SQLSession) throws -> T, _ db: GRDB.Database) -> Result<T, Fault> {
    do {
      var value: T?
      try db.inSavepoint {
        value = try body(SQLSession(db: db))
        return .commit
      }
      guard let value else { preconditionFailure("a committed write has a value") }
      return .success(value)
    } catch let fault as Fault {
      return .failure(fault)
    } catch {
      return .failure(Fault("database write", "\(error)"))
    }
  }

  /// The value of `PRAGMA synchronous` on the writing connection: 2 is FULL.
  package func synchronous() throws(Fault) -> Int {
    do {
      return try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
    } catch {
      throw Fault("database read", "\(error)")
    }
  }
}

/// One step of the schema. Never edited once released: the next change is a new migration.
package struct Migration: Sendable {
  package let name: String
  package let statements: [String]

  package init(_ name: String, _ statements: [String]) {
    self.name = name
    self.statements = statements
  }
}
