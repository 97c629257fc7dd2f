// Asynchronous invocation: events that are on disk before their caller is answered, and that are tried until they are
// over. The shell around EventLanes.swift (which event is next) and Retry.swift (what becomes of it): docs/async.md.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

package final class EventQueue: Sendable {
  /// What has happened to events since the server was started.
  package struct Counts: Sendable, Equatable {
    package var accepted = 0
    package var attempts = 0
    package var succeeded = 0
    package var retriesExhausted = 0
    package var eventAgeExceeded = 0
    package var zeroReservedConcurrency = 0
    /// Their function, version or alias was deleted.
    package var dropped = 0
    package var delivered = 0
    /// Records that no destination took.
    package var deliveryFailures = 0
  }

  fileprivate struct State {
    var lanes: EventLanes
    var nextID: Int64
    /// Events that need not be read again, no more than a few.
    var recent: [Int64: StoredEvent] = [:]
    var recentBytes = 0
    /// How often an event was refused since it ran, as far as it was.
    var refusals: [Int64: Int] = [:]
    var counts = Counts()
    var alarm: (alarm: Alarms.Alarm, due: Timestamp)?
    var isBusy = false
    /// Before the loop has begun, and after it was told to end, nothing begins.
    var isOpen = false
  }

  let database: Database
  let functions: FunctionTable
  let line: any FunctionRunner
  let door: Door
  let alarms: Alarms
  let limits: LambdaLimits
  let traces: (any TraceSink)?
  let log: Logger
  let journal = EventJournal()
  let metrics: LambdaMetrics?
  private let threads: NIOThreadPool
  private let state: Mutex<State>
  private let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation

  /// Reads what waits. The database must have been migrated.
  package init(
    database: Database, functions: FunctionTable, line: any FunctionRunner, door: Door, alarms: Alarms,
    limits: LambdaLimits, traces: (any TraceSink)? = nil, log: Logger, metrics: LambdaMetrics? = nil
  ) throws(Fault) {
    self.metrics = metrics
    self.traces = traces
    self.database = database
    self.functions = functions
    self.line = line
    self.door = door
    self.alarms = alarms
    self.limits = limits
    self.log = log
    threads = .singleton
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    var lanes = EventLanes(limit: limits.concurrentExecutions)
    var last: Int64 = 0
    try database.read { session in
      try EventTable.forEachWaiting(session) { id, key, due in
        lanes.add(id, key, due: due)
        last = id
      }
    }
    state = Mutex(State(lanes: lanes, nextID: last + 1))
  }

  package var counts: Counts { state.withLock { $0.counts } }

  /// Events that wait, and attempts that are under way.
  package var census: (waiting: Int, underWay: Int) { state.withLock { ($0.lanes.count, $0.lanes.underWay) } }

  /// When the oldest event that is not over was accepted; nil if there is none.
  package var oldest: Timestamp? {
    guard let row = try? database.read({ try $0.rows("SELECT accepted FROM lambda_events ORDER BY id LIMIT 1") }).first
    else { return nil }
    return Timestamp(nanoseconds: Int64(row.integer("accepted")))
  }

  /// True from the moment when `run` has begun until `pause` or `stop`.
  package var isRunning: Bool { state.withLock { $0.isOpen } }

  // MARK: - Accepting

  /// Takes an event. When this returns it is on disk.
  /// - Throws: 500 if it cannot be stored.
  package func accept(_ invocation: Invocation) async throws(AWSError) {
    let event = make(invocation)
    do throws(Fault) {
      try await database.write { session in try EventTable.insert(event, session) }
    } catch {
      throw .service("\(error)")
    }
    admit(event)
  }

  /// An event with a number of its own, which nobody knows of yet.
  func make(_ invocation: Invocation) -> StoredEvent {
    let id = state.withLock { state in
      defer { state.nextID += 1 }
      return state.nextID
    }
    return StoredEvent(
      id: id, function: invocation.function, requestID: invocation.requestID,
      traceHeader: traceHeader(of: invocation),
      tenant: invocation.tenant, retry: Retry(accepted: alarms.world.now()), payload: invocation.payload)
  }

  /// Whether an event is traced is decided once for all of its attempts.
  private func traceHeader(of invocation: Invocation) -> String {
    if let traces, let record = functions.find(invocation.function.key),
      let configuration = configuration(invocation.function.qualifier, of: record),
      let sampled = TraceHeader.sampled(invocation.traceHeader, configuration, traces, alarms.world)
    {
      return sampled
    }
    return TraceHeader.make(from: invocation.traceHeader, lineage: "", world: alarms.world)
  }

  /// Of an alias with two versions that of the first: both are traced or none, as a rule.
  private func configuration(_ qualifier: String?, of record: FunctionRecord)
    -> FunctionConfiguration?
  {
    guard let qualifier else { return record.invocable(.latest) }
    return (record.aliases[qualifier]?.version ?? VersionName(qualifier)).flatMap {
      record.invocable($0)
    }
  }

  /// Lets an event that is on disk be tried.
  func admit(_ event: StoredEvent) {
    journal.accepted(event)
    metrics?.note(.asyncEventsReceived, of: event.function)
    change { state in
      state.counts.accepted += 1
      state.keep(event)
      state.lanes.add(event.id, event.key)
    }
  }

  // MARK: - The loop

  /// Tries events until `stop` was called and the attempts under way are over.
  package func run() async {
    change { $0.isOpen = true }
    await withDiscardingTaskGroup { group in
      for await _ in pokes {
        while let ticket = next() {
          group.addTask {
            await self.attempt(ticket)
            self.alarms.end()
          }
        }
      }
    }
  }

  /// No attempt begins any more: what waits is for the next start of the server.
  package func pause() { change { $0.isOpen = false } }

  package func stop() {
    pause()
    poke.finish()
  }

  private func next() -> EventLanes.Ticket? {
    state.withLock { state in
      defer { settle(&state) }
      guard state.isOpen, let ticket = state.lanes.start(at: alarms.world.now()) else { return nil }
      // An attempt is work by itself, until what follows from it is set.
      alarms.begin()
      return ticket
    }
  }

  /// Changes the state, and wakes the loop if there is something to begin.
  private func change(_ body: (inout State) -> Void) {
    let hasWork = state.withLock { state in
      body(&state)
      state.lanes.wake(at: alarms.world.now())
      settle(&state)
      return state.isBusy && state.isOpen
    }
    if hasWork { poke.yield() }
  }

  /// What follows from a change: the alarm for what is due next, and the word that there is something to begin, for
  /// which moves of the clock wait.
  private func settle(_ state: inout State) {
    if let due = state.lanes.nextDue, state.alarm.map({ due < $0.due }) ?? true {
      if let alarm = state.alarm?.alarm { alarms.cancel(alarm) }
      state.alarm = (alarms.set(at: due) { self.change { $0.alarm = nil } }, due)
    }
    let isBusy = state.isOpen && state.lanes.canBegin
    guard isBusy != state.isBusy else { return }
    state.isBusy = isBusy
    if isBusy { alarms.begin() } else { alarms.end() }
  }

  // MARK: - One attempt

  private func attempt(_ ticket: EventLanes.Ticket) async {
    do throws(Fault) {
      guard var event = try await load(ticket.id) else { return over(ticket) }
      if event.outcome == nil {
        guard try await run(&event, ticket) else { return }
      }
      await deliver(&event, ticket)
    } catch {
      // The disk may have room again later. What is not known to be written is tried again.
      log.error("an event could not be read or written", metadata: ["event": "\(ticket.id)", "fault": "\(error)"])
      change { $0.lanes.retry(ticket, due: alarms.world.now() + EventQueue.pauseAfterFault) }
    }
  }

  private static let pauseAfterFault = Duration.seconds(5)

  private func load(_ id: Int64) async throws(Fault) -> StoredEvent? {
    let (recent, refusals) = state.withLock { state in (state.take(id), state.refusals[id] ?? 0) }
    if let recent { return recent }
    let database = database
    let result: Result<StoredEvent?, Fault>
    do {
      result = try await threads.runIfActive {
        Result { () throws(Fault) in
          try database.read { try EventTable.find(id, $0) }
        }
      }
    } catch {
      throw Fault("read events", "\(error)")
    }
    guard var event = try result.get() else { return nil }
    event.retry = Retry(accepted: event.retry.accepted, attempts: event.retry.attempts, refusals: refusals)
    return event
  }

  /// The event is no more, and neither is its row.
  func over(_ ticket: EventLanes.Ticket) {
    change { state in
      state.refusals[ticket.id] = nil
      state.lanes.finish(ticket)
    }
  }

  /// Tries the function.
  /// - Returns: true if the event is over and somebody is to be told; false if all that was to do is done.
  private func run(_ event: inout StoredEvent, _ ticket: EventLanes.Ticket) async throws(Fault) -> Bool {
    guard let record = functions.find(event.function.key) else {
      try await drop(event, ticket, "the function was deleted")
      return false
    }
    let qualifier = event.function.qualifier ?? "$LATEST"
    let policy = RetryPolicy(record.eventInvokeConfigs[qualifier])
    var last = Attempt()
    let decision: Retry.Decision
    if let obstacle = event.retry.obstacle(now: alarms.world.now(), reserved: record.reserved, policy) {
      decision = .finish(obstacle)
    } else {
      last = await invoke(event)
      guard let outcome = last.outcome else {
        try await drop(event, ticket, "the version or alias was deleted")
        return false
      }
      decision = event.retry.ended(outcome, now: alarms.world.now(), policy)
    }
    journal.tried(event, last, decision, at: alarms.world.now())
    switch decision {
    case .retry(let due):
      if last.response == nil {
        refuse(event, ticket, until: due)
      } else {
        let rescheduled = event
        try await database.write { try EventTable.reschedule(rescheduled, due: due, $0) }
        change { state in
          state.refusals[ticket.id] = nil
          state.lanes.retry(ticket, due: due)
        }
      }
      return false
    case .finish(let condition):
      // As it is configured now, and not when the attempt began.
      let record = functions.find(event.function.key) ?? record
      return try await finish(&event, ticket, condition, last, record)
    }
  }

  /// What is known of an attempt.
  struct Attempt {
    /// nil: there is nothing to run any more.
    var outcome: Retry.Outcome?
    var response: EventOutcome.Response?
    var traceHeader: String?
    var error: AWSError?
  }

  private func invoke(_ event: StoredEvent) async -> Attempt {
    var invocation = Invocation(
      function: event.function, payload: event.payload, requestID: event.requestID, traceHeader: event.traceHeader,
      tenant: event.tenant)
    invocation.event = (event.retry.accepted, event.retry.attempts + 1)
    let age = alarms.world.now() - event.retry.accepted
    metrics?.note(.asyncEventAge, of: event.function, Double(max(0, age.inNanoseconds / 1_000_000)))
    do throws(AWSError) {
      let reply = try await line.invoke(invocation)
      state.withLock { $0.counts.attempts += 1 }
      return Attempt(
        outcome: reply.functionError == nil ? .succeeded : .failed,
        response: EventOutcome.Response(
          payload: reply.payload, executedVersion: reply.executedVersion.description,
          functionError: reply.functionError), traceHeader: reply.traceHeader)
    } catch {
      switch error.status {
      case 404: return Attempt(error: error)
      // Its environment could not be restored.
      case 400 where error.code == "SnapStartException", 408: return Attempt(outcome: .failed, error: error)
      // The function is being brought up, there is no room, or this server has failed.
      case 409, 429, 500...: return Attempt(outcome: .refused, error: error)
      default: return Attempt(outcome: .forbidden, error: error)
      }
    }
  }

  private func refuse(_ event: StoredEvent, _ ticket: EventLanes.Ticket, until due: Timestamp) {
    change { state in
      state.refusals[ticket.id] = event.retry.refusals
      state.keep(event)
      state.lanes.refuse(ticket, until: due)
    }
  }

  private func drop(_ event: StoredEvent, _ ticket: EventLanes.Ticket, _ reason: String) async throws(Fault) {
    try await database.write { try EventTable.delete(event.id, $0) }
    log.notice(
      "an event is dropped",
      metadata: ["function": "\(event.function.arn)", "request": "\(event.requestID)", "reason": "\(reason)"])
    journal.dropped(event, reason)
    metrics?.note(.asyncEventsDropped, of: event.function)
    state.withLock { $0.counts.dropped += 1 }
    over(ticket)
  }

  /// - Returns: true if somebody is to be told, which is on disk then.
  private func finish(
    _ event: inout StoredEvent, _ ticket: EventLanes.Ticket, _ condition: EventCondition, _ last: Attempt,
    _ record: FunctionRecord
  ) async throws(Fault) -> Bool {
    let targets = EventTarget.all(of: event.function, condition, record)
    var outcome = EventOutcome(
      condition: condition, ended: alarms.world.now(), response: last.response, targets: targets,
      traceHeader: last.traceHeader ?? event.traceHeader)
    DeadLetters.describe(&outcome, last.error)
    if condition != .success {
      metrics?.note(.asyncEventsDropped, of: event.function)
      log.notice(
        "an event is given up",
        metadata: [
          "function": "\(event.function.arn)", "request": "\(event.requestID)", "condition": "\(condition.rawValue)",
          "attempts": "\(event.retry.attempts)", "told": "\(targets.map(\.arn).joined(separator: ", "))",
        ])
    }
    let settled = event
    if targets.isEmpty {
      try await database.write { try EventTable.delete(settled.id, $0) }
    } else {
      // On disk before anybody is told, so that a crash does not make the function run again for it.
      try await database.write { [outcome] in try EventTable.settle(settled, outcome, $0) }
    }
    event.outcome = outcome
    state.withLock { $0.counts.count(condition) }
    if targets.isEmpty { over(ticket) }
    return !targets.isEmpty
  }

  // MARK: - Records

  /// Tells whoever is still to be told, one after the other. What cannot be reached now is tried again later.
  private func deliver(_ event: inout StoredEvent, _ ticket: EventLanes.Ticket) async {
    guard var outcome = event.outcome else { return over(ticket) }
    do throws(Fault) {
      while let target = outcome.targets.first {
        outcome.targets.removeFirst()
        event.outcome = outcome
        let telling = await tell(target, event)
        if case .later = telling { return postpone(ticket) }
        let settled = event
        var successor: StoredEvent?
        if case .event(let event) = telling { successor = event }
        try await database.write { [outcome, successor] session in
          if let successor { try EventTable.insert(successor, session) }
          if outcome.targets.isEmpty {
            try EventTable.delete(settled.id, session)
          } else {
            try EventTable.settle(settled, outcome, session)
          }
        }
        if let successor { admit(successor) }
        if case .failed = telling {
          journal.told(event, target, isDelivered: false)
          metrics?.note(
            target.kind == .deadLetter ? .deadLetterErrors : .destinationDeliveryFailures, of: event.function)
        } else {
          journal.told(event, target, isDelivered: true)
        }
        state.withLock { state in
          if case .failed = telling { state.counts.deliveryFailures += 1 } else { state.counts.delivered += 1 }
        }
      }
      over(ticket)
    } catch {
      log.error("an event could not be written", metadata: ["event": "\(ticket.id)", "fault": "\(error)"])
      postpone(ticket)
    }
  }

  private func postpone(_ ticket: EventLanes.Ticket) {
    change { state in
      let refusals = state.refusals[ticket.id, default: 0]
      state.refusals[ticket.id] = refusals + 1
      state.lanes.retry(ticket, due: alarms.world.now() + Retry.backOff(refusals))
    }
  }
}

extension EventQueue.State {
  private static let recentLimit = 1 << 25

  /// Keeps an event in memory while there is room, so that what is tried at once need not be read.
  fileprivate mutating func keep(_ event: StoredEvent) {
    let size = event.payload.readableBytes + 512
    guard recentBytes + size <= EventQueue.State.recentLimit else { return }
    recent[event.id] = event
    recentBytes += size
  }

  fileprivate mutating func take(_ id: Int64) -> StoredEvent? {
    guard let event = recent.removeValue(forKey: id) else { return nil }
    recentBytes -= event.payload.readableBytes + 512
    return event
  }
}

extension EventQueue.Counts {
  fileprivate mutating func count(_ condition: EventCondition) {
    switch condition {
    case .success: succeeded += 1
    case .retriesExhausted: retriesExhausted += 1
    case .eventAgeExceeded: eventAgeExceeded += 1
    case .zeroReservedConcurrency: zeroReservedConcurrency += 1
    }
  }
}
