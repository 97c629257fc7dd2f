// What one service owes to others: on disk from the moment when it is promised until its target took it or it was
// given up. The shell around OutboxOrder.swift; SNS, EventBridge, S3 and the Scheduler deliver through it.
import Logging
import MartletCore
import MartletStore
import NIOPosix
import Synchronization

/// Something on its way to a target.
package struct Parcel: Sendable {
  package let id: Int64
  /// Who is to have it, such as an ARN. Targets take turns, so that one that hangs holds up nobody else.
  package let target: String
  /// Parcels of one target and lane are delivered one after the other, in the order in which they were written. Empty:
  /// in no order.
  package let lane: String
  package let created: Timestamp
  /// When it was, or is, to be tried.
  package let due: Timestamp
  /// Attempts that have failed.
  package let attempts: Int
  package let body: [UInt8]

  /// A parcel that is not written yet.
  package struct Draft: Sendable {
    package let target: String
    package let lane: String
    package let body: [UInt8]
    /// Not before; nil = at once.
    package let due: Timestamp?

    package init(target: String, lane: String = "", body: [UInt8], due: Timestamp? = nil) {
      self.target = target
      self.lane = lane
      self.body = body
      self.due = due
    }
  }

  /// What becomes of a parcel after an attempt.
  package enum Fate: Sendable {
    /// Delivered, or given up, or passed on to a dead-letter queue.
    case over
    /// To be tried again. Its attempts are one more then.
    case again(after: Duration)
  }
}

/// A durable queue of parcels: each is delivered at least once, again after a crash.
package final class Outbox: Sendable {
  fileprivate struct State {
    var order: OutboxOrder
    var nextID: Int64
    /// Parcels that need not be read again, no more than a few.
    var recent: [Int64: Parcel] = [:]
    var recentBytes = 0
    var alarm: (alarm: Alarms.Alarm, due: Timestamp)?
    var isBusy = false
    /// Before the loop has begun, and after it was told to end, nothing begins.
    var isOpen = false
  }

  package static let migrations = [
    Migration(
      "cloud-outbox-1",
      [
        """
        CREATE TABLE cloud_outbox (
          box TEXT NOT NULL, id BIGINT NOT NULL, target TEXT NOT NULL, lane TEXT NOT NULL, created BIGINT NOT NULL,
          due BIGINT NOT NULL, attempts BIGINT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (box, id))
        """
      ])
  ]

  private let name: String
  private let database: Database
  private let alarms: Alarms
  private let log: Logger
  private let threads: NIOThreadPool
  private let state: Mutex<State>
  private let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation

  /// Reads what waits. The database must have been migrated.
  /// - Parameters:
  ///   - name: of the service, for ever: parcels lie under it.
  ///   - limit: deliveries under way at once, of all targets.
  ///   - limitPerTarget: of one target.
  package init(
    _ name: String, database: Database, alarms: Alarms, log: Logger, limit: Int = 256, limitPerTarget: Int = 32
  ) throws(Fault) {
    self.name = name
    self.database = database
    self.alarms = alarms
    self.log = log
    threads = .singleton
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    var order = OutboxOrder(limit: limit, limitPerTarget: limitPerTarget)
    var last: Int64 = 0
    try database.read { session in
      try session.forEach(
        "SELECT id, target, lane, due FROM cloud_outbox WHERE box = ? ORDER BY id", [.text(name)]
      ) { (row) throws(Fault) in
        last = Int64(row.integer(0))
        order.add(
          last, target: row.text(1), lane: row.text(2), due: Timestamp(nanoseconds: Int64(row.integer(3))))
      }
    }
    state = Mutex(State(order: order, nextID: last + 1))
  }

  /// Parcels that wait or are under way.
  package var count: Int { state.withLock { $0.order.count } }
  /// Of one target. Takes time in proportion to all.
  package func count(of target: String) -> Int { state.withLock { $0.order.count(of: target) } }

  // MARK: - Promising

  /// Runs `body` in a transaction and writes the parcels that it returns in the same one. When this returns, all is on
  /// disk and the parcels are on their way; when it throws, nothing is.
  package func put<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws -> (T, [Parcel.Draft])
  ) async throws(Fault) -> T {
    let written = Mutex<[Parcel]>([])
    return try await database.write(
      { session in
        let (value, drafts) = try body(session)
        let parcels = try self.write(drafts, session)
        written.withLock { $0 = parcels }
        return value
      }, ended: { fault in if fault == nil { self.begin(written.withLock { $0 }) } })
  }

  package func put(_ drafts: [Parcel.Draft]) async throws(Fault) {
    guard !drafts.isEmpty else { return }
    try await put { _ in ((), drafts) }
  }

  /// Writes parcels in a transaction of the caller's, on the database's writer.
  /// - Returns: what `begin` wants once the transaction is on disk.
  package func write(_ drafts: [Parcel.Draft], _ session: SQLSession) throws(Fault) -> [Parcel] {
    let now = alarms.world.now()
    let first = state.withLock { state in
      defer { state.nextID += Int64(drafts.count) }
      return state.nextID
    }
    var parcels: [Parcel] = []
    for (i, draft) in drafts.enumerated() {
      let parcel = Parcel(
        id: first + Int64(i), target: draft.target, lane: draft.lane, created: now, due: draft.due ?? now, attempts: 0,
        body: draft.body)
      try session.execute(
        "INSERT INTO cloud_outbox (box, id, target, lane, created, due, attempts, body) VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        [
          .text(name), .integer(parcel.id), .text(parcel.target), .text(parcel.lane),
          .integer(now.nanoseconds), .integer(parcel.due.nanoseconds), .blob(parcel.body),
        ])
      parcels.append(parcel)
    }
    return parcels
  }

  /// Sends parcels on their way that are on disk. Whoever wants lanes in order calls it in `ended` of the transaction.
  package func begin(_ parcels: [Parcel]) {
    guard !parcels.isEmpty else { return }
    change { state in
      for parcel in parcels {
        state.keep(parcel)
        state.order.add(parcel.id, target: parcel.target, lane: parcel.lane, due: parcel.due)
      }
    }
  }

  // MARK: - Delivering

  /// Delivers until `stop` was called and the attempts under way are over.
  /// - Parameter deliver: makes one attempt. What is to be waited for when a test moves the clock is begun and over
  ///   within it.
  package func run(deliver: @escaping @Sendable (Parcel) async -> Parcel.Fate) async {
    change { $0.isOpen = true }
    await withDiscardingTaskGroup { group in
      for await _ in pokes {
        while let ticket = next() { group.addTask { await self.attempt(ticket, deliver) } }
      }
    }
  }

  /// No attempt begins any more: what waits is for the next start of the server.
  package func pause() { change { $0.isOpen = false } }

  package func stop() {
    pause()
    poke.finish()
  }

  private func next() -> OutboxOrder.Ticket? {
    state.withLock { state in
      defer { settle(&state) }
      return state.isOpen ? state.order.start() : nil
    }
  }

  /// Changes the state, and wakes the loop if there is something to begin.
  private func change(_ body: (inout State) -> Void) {
    let hasWork = state.withLock { state in
      body(&state)
      state.order.wake(at: alarms.world.now())
      settle(&state)
      return state.isBusy && state.isOpen
    }
    if hasWork { poke.yield() }
  }

  /// What follows from a change: the alarm for what is due next, and the word that work is under way, on which moves of
  /// the clock wait.
  private func settle(_ state: inout State) {
    if let due = state.order.nextDue, state.alarm.map({ due < $0.due }) ?? true {
      if let alarm = state.alarm?.alarm { alarms.cancel(alarm) }
      state.alarm = (alarms.set(at: due) { self.change { $0.alarm = nil } }, due)
    }
    let isBusy = state.order.underWay > 0 || state.isOpen && state.order.isBusy
    guard isBusy != state.isBusy else { return }
    state.isBusy = isBusy
    if isBusy { alarms.begin() } else { alarms.end() }
  }

  private static let pauseAfterFault = Duration.seconds(5)

  private func attempt(_ ticket: OutboxOrder.Ticket, _ deliver: @Sendable (Parcel) async -> Parcel.Fate) async {
    do throws(Fault) {
      guard let parcel = try await load(ticket.id) else { return change { $0.order.finish(ticket) } }
      let (name, id) = (name, ticket.id)
      switch await deliver(parcel) {
      case .over:
        try await database.write { session in
          try session.execute("DELETE FROM cloud_outbox WHERE box = ? AND id = ?", [.text(name), .integer(id)])
        }
        change { $0.order.finish(ticket) }
      case .again(let delay):
        let due = alarms.world.now() + delay
        try await database.write { session in
          try session.execute(
            "UPDATE cloud_outbox SET attempts = attempts + 1, due = ? WHERE box = ? AND id = ?",
            [.integer(due.nanoseconds), .text(name), .integer(id)])
        }
        change { $0.order.retry(ticket, due: due) }
      }
    } catch {
      // The disk may have room again later. What is not known to be written is tried again.
      log.error(
        "a delivery could not be read or written",
        metadata: ["of": "\(name)", "to": "\(ticket.target)", "fault": "\(error)"])
      change { $0.order.retry(ticket, due: alarms.world.now() + Outbox.pauseAfterFault) }
    }
  }

  private func load(_ id: Int64) async throws(Fault) -> Parcel? {
    if let recent = state.withLock({ $0.take(id) }) { return recent }
    let (database, name) = (database, name)
    let result: Result<Parcel?, Fault>
    do {
      result = try await threads.runIfActive {
        Result { () throws(Fault) in
          try database.read { session in
            try session.rows("SELECT * FROM cloud_outbox WHERE box = ? AND id = ?", [.text(name), .integer(id)])
              .first.map(Parcel.init)
          }
        }
      }
    } catch {
      throw Fault("read deliveries", "\(error)")
    }
    return try result.get()
  }
}

extension Parcel {
  fileprivate init(_ row: SQLRow) {
    self.init(
      id: Int64(row.integer("id")), target: row.text("target"), lane: row.text("lane"),
      created: Timestamp(nanoseconds: Int64(row.integer("created"))),
      due: Timestamp(nanoseconds: Int64(row.integer("due"))), attempts: row.integer("attempts"),
      body: row.blob("body"))
  }
}

extension Outbox.State {
  private static let recentLimit = 1 << 24

  /// Keeps a parcel in memory while there is room, so that what is delivered at once need not be read.
  fileprivate mutating func keep(_ parcel: Parcel) {
    let size = parcel.body.count + 256
    guard recentBytes + size <= Outbox.State.recentLimit else { return }
    recent[parcel.id] = parcel
    recentBytes += size
  }

  fileprivate mutating func take(_ id: Int64) -> Parcel? {
    guard let parcel = recent.removeValue(forKey: id) else { return nil }
    recentBytes -= parcel.body.count + 256
    return parcel
  }
}
