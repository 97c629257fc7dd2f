// All records of one kind: in memory for readers, in the database for good. A change is on disk before it is seen.
import MartletCore
import Synchronization

/// Something that has a name in an account and region, and how it lies in the database.
package protocol CatalogueRecord: Sendable {
  var key: ResourceKey { get }
  /// Reads every record.
  static func load(_ session: SQLSession) throws(Fault) -> [Self]
  /// Writes the difference between two states of a record; nil = not there.
  static func store(_ key: ResourceKey, before: Self?, after: Self?, _ session: SQLSession) throws(Fault)
}

package final class Catalogue<Record: CatalogueRecord>: Sendable {
  private struct State {
    /// What everybody sees: on disk.
    var published: [Place: Shelf<Record>] = [:]
    /// What the database's writer sees: changes of transactions that are not committed yet. nil = deleted.
    var pending: [ResourceKey: Record?] = [:]
    var waiters: [ResourceKey: [CheckedContinuation<Bool, Never>]] = [:]
  }

  private let database: Database
  private let observer: @Sendable (_ before: Record?, _ after: Record?) -> Void
  private let state = Mutex(State())
  private let changes = Atomic<UInt64>(0)

  /// Reads everything. The database must have been migrated.
  /// - Parameter observer: hears of every change after it is on disk, in order; and of every record at the start.
  package init(
    database: Database, observer: @escaping @Sendable (_ before: Record?, _ after: Record?) -> Void = { _, _ in }
  ) throws(Fault) {
    self.database = database
    self.observer = observer
    var shelves: [Place: Shelf<Record>] = [:]
    for record in try Catalogue.load(database) {
      shelves[record.key.place, default: Shelf<Record>()].names.append(record.key.name)
      shelves[record.key.place]?.records[record.key.name] = record
      observer(nil, record)
    }
    for place in shelves.keys { shelves[place]?.names.sort() }
    state.withLock { $0.published = shelves }
  }

  private static func load(_ database: Database) throws(Fault) -> [Record] {
    try database.read { try Record.load($0) }
  }

  // MARK: - What is on disk

  /// Another number whenever a record has changed: whoever remembers records with the number from before has what is
  /// there now as long as it is the same.
  package var generation: UInt64 { changes.load(ordering: .acquiring) }

  package func find(_ key: ResourceKey) -> Record? {
    state.withLock { $0.published[key.place]?.records[key.name] }
  }

  /// The names in an account and region, in order. Costs nothing, however many there are.
  package func names(_ place: Place) -> [String] { state.withLock { $0.published[place]?.names ?? [] } }

  /// The records of an account and region, in the order of their names.
  package func list(_ place: Place) -> [Record] {
    state.withLock { state in
      guard let shelf = state.published[place] else { return [] }
      return shelf.names.compactMap { shelf.records[$0] }
    }
  }

  package var all: [Record] { state.withLock { $0.published.values.flatMap(\.records.values) } }

  /// The records after `last` in the order of their names, no more than `count` of them.
  package func page(_ place: Place, after last: String?, count: Int) -> [Record] {
    state.withLock { state in
      guard let shelf = state.published[place] else { return [] }
      let start = last.map { shelf.names.partition(after: $0) } ?? 0
      return shelf.names[start...].prefix(count).compactMap { shelf.records[$0] }
    }
  }

  // MARK: - Changes

  /// Changes one record. `body` gets its newest state, nil if there is none, and leaves what shall be: nil deletes.
  /// Changes are made one after another; when this returns, the change is on disk and seen by all; when it throws,
  /// nothing was changed.
  /// - Parameters:
  ///   - more: writes what belongs into the same transaction, if `body` did not throw.
  ///   - ended: called as soon as all of it is on disk, before any later change.
  @discardableResult
  package func change<T: Sendable>(
    _ key: ResourceKey, _ body: @escaping @Sendable (inout Record?) throws(AWSError) -> T,
    with more: @escaping @Sendable (T, SQLSession) throws(Fault) -> Void = { _, _ in },
    ended: @escaping @Sendable () -> Void = {}
  ) async throws(AWSError) -> T {
    let outcome: Result<T, AWSError>
    do throws(Fault) {
      outcome = try await database.write(
        { session in
          let before = self.newest(key)
          var after = before
          let value: T
          do throws(AWSError) { value = try body(&after) } catch { return .failure(error) }
          try Record.store(key, before: before, after: after, session)
          try more(value, session)
          self.state.withLock { $0.pending[key] = .some(after) }
          return .success(value)
        },
        ended: { fault in
          self.settle(key, fault)
          if fault == nil { ended() }
        })
    } catch {
      throw .service("\(error)")
    }
    return try outcome.get()
  }

  /// Changes a record and its name in one transaction. `body` gets the record and what bears the new name now, and
  /// returns the record that shall bear it; nothing bears the old one then. Both names may be the same.
  package func move(
    _ from: ResourceKey, to: ResourceKey,
    _ body: @escaping @Sendable (_ before: Record?, _ occupant: Record?) throws(AWSError) -> Record
  ) async throws(AWSError) {
    let outcome: Result<Void, AWSError>
    do throws(Fault) {
      outcome = try await database.write(
        { session in
          let (before, occupant) = (self.newest(from), self.newest(to))
          let after: Record
          do throws(AWSError) { after = try body(before, occupant) } catch { return .failure(error) }
          if from != to { try Record.store(from, before: before, after: nil, session) }
          try Record.store(to, before: occupant, after: after, session)
          self.state.withLock { state in
            if from != to { state.pending[from] = .some(nil) }
            state.pending[to] = .some(after)
          }
          return .success(())
        },
        ended: { fault in
          // The new name is seen before the old one is gone, so that whoever looks finds one of them.
          self.settle(to, fault)
          if from != to { self.settle(from, fault) }
        })
    } catch {
      throw .service("\(error)")
    }
    try outcome.get()
  }

  /// A record as the writer sees it. Only for the bodies of changes, of this catalogue or another of the same database.
  package func newest(_ key: ResourceKey) -> Record? {
    state.withLock { state in
      if let pending = state.pending[key] { return pending }
      return state.published[key.place]?.records[key.name]
    }
  }

  /// All records of an account and region as the writer sees them, in no order. Only for the bodies of changes.
  package func newest(in place: Place) -> [Record] {
    state.withLock { state in
      var records = state.published[place]?.records ?? [:]
      for (key, record) in state.pending where key.place == place { records[key.name] = record }
      return Array(records.values)
    }
  }

  /// The transaction with a change of `key` is on disk, or is lost.
  private func settle(_ key: ResourceKey, _ fault: Fault?) {
    let (waiters, change) = state.withLock { state -> ([CheckedContinuation<Bool, Never>], (Record?, Record?)?) in
      guard let pending = state.pending.removeValue(forKey: key), fault == nil else { return ([], nil) }
      let before = state.published[key.place]?.records[key.name]
      state.published[key.place, default: Shelf<Record>()].put(key.name, pending)
      changes.add(1, ordering: .releasing)
      return (state.waiters.removeValue(forKey: key) ?? [], (before, pending))
    }
    if let change {
      observer(change.0, change.1)
      // What the observer keeps belongs to what is remembered.
      changes.add(1, ordering: .releasing)
    }
    for waiter in waiters { waiter.resume(returning: false) }
  }

  /// Returns when `isSettled` holds for the record as it is on disk.
  package func wait(for key: ResourceKey, until isSettled: @Sendable (Record?) -> Bool) async {
    while true {
      let settled = await withCheckedContinuation { continuation in
        let now = state.withLock { state in
          if isSettled(state.published[key.place]?.records[key.name]) { return true }
          state.waiters[key, default: []].append(continuation)
          return false
        }
        if now { continuation.resume(returning: true) }
      }
      if settled { return }
    }
  }
}

/// The records of one account and region, in the order of their names.
private struct Shelf<Record: Sendable>: Sendable {
  var names: [String] = []
  var records: [String: Record] = [:]

  mutating func put(_ name: String, _ record: Record?) {
    let position = names.partition(before: name)
    let isThere = position < names.count && names[position] == name
    if record == nil, isThere { names.remove(at: position) }
    if record != nil, !isThere { names.insert(name, at: position) }
    records[name] = record
  }
}

extension [String] {
  /// Of a sorted list: the position of the first element that is not before `name`.
  fileprivate func partition(before name: String) -> Int { partition { $0 < name } }

  /// Of a sorted list: the position of the first element after `name`.
  fileprivate func partition(after name: String) -> Int { partition { $0 <= name } }

  private func partition(_ isBefore: (String) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
