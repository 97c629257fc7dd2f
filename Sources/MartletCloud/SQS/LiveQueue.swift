// A queue in operation: its state machine under a lock, the receivers that wait, and what of its messages is in memory.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

final class LiveQueue: Sendable {
  /// What queues share.
  struct Parts: Sendable {
    let database: Database
    let threads: NIOThreadPool
    let alarms: Alarms
    let room: MessageRoom
    let notes: ReceiveNotes
    let log: Logger
    /// Messages that wait in memory for each queue.
    let window: Int

    var now: Int64 { alarms.world.now().milliseconds }
  }

  /// A delivery with its message, if that is in memory.
  typealias Handout = (delivery: QueueStateMachine.Delivery, message: StoredMessage?)
  /// What a receiver gets, and the word that it is at work with it.
  typealias Delivered = (handouts: [Handout], work: Alarms.Work?)
  private typealias Receiver = CheckedContinuation<Result<Delivered, AWSError>, Never>

  private struct State {
    var machine: QueueStateMachine
    var store: Int64
    var messages: [Int64: StoredMessage] = [:]
    var receivers: [Int: Receiver] = [:]
    /// Receivers that were cancelled before they were enlisted.
    var cancelled: Set<Int> = []
    var lastReceiver = 0
    var alarm: (alarm: Alarms.Alarm, due: Int64)?
    var deduplication = Deduplication()
    var lastPurge: Int64 = .min
    var isStopping = false
  }

  let key: ResourceKey
  private let parts: Parts
  private let state: Mutex<State>
  /// What happened since CloudWatch was told, and when something did last, in seconds since 1970.
  private let tally = Mutex<(tally: QueueTally, lastUse: Int64?)>((QueueTally(), nil))
  /// Moves messages to the dead-letter queue, and says `left` or `stayed` of each.
  private let bury: @Sendable (LiveQueue, [Int64]) -> Void

  init(
    _ record: SQSQueue, parts: Parts, tail: Int, receipts: Int64,
    bury: @escaping @Sendable (LiveQueue, [Int64]) -> Void
  ) {
    key = record.key
    self.parts = parts
    self.bury = bury
    var settings = LiveQueue.settings(record, isRedriven: false)
    settings.window = parts.window * (record.isFIFO ? 2 : 1)
    state = Mutex(
      State(machine: QueueStateMachine(settings, tail: tail, receipts: receipts), store: record.store))
  }

  private static func settings(_ record: SQSQueue, isRedriven: Bool) -> QueueStateMachine.Settings {
    QueueStateMachine.Settings(
      isFIFO: record.isFIFO, retention: Int64(record.number("MessageRetentionPeriod")) * 1000,
      maxReceives: isRedriven ? record.redrive?.maxReceives : nil)
  }

  var store: Int64 { state.withLock { $0.store } }

  // MARK: - Changes of the queue

  /// - Parameter isRedriven: its dead-letter queue is there.
  func configure(_ record: SQSQueue, isRedriven: Bool) {
    var settings = LiveQueue.settings(record, isRedriven: isRedriven)
    settings.window = parts.window * (record.isFIFO ? 2 : 1)
    act { state, now, actions in
      if state.store != record.store {
        state.store = record.store
        state.machine.purge()
        state.deduplication.removeAll()
        self.parts.room.give(state.messages.values.reduce(0) { $0 + $1.weight })
        state.messages = [:]
      }
      state.machine.settings = settings
      state.machine.pass(now: now, &actions)
    }
  }

  /// The queue is deleted, or the server stops: whoever waits is answered.
  func close(_ error: AWSError?) {
    let receivers = state.withLock { state in
      state.isStopping = true
      for id in state.receivers.keys { _ = state.machine.cancel(waiter: id) }
      if let alarm = state.alarm { parts.alarms.cancel(alarm.alarm) }
      parts.room.give(state.messages.values.reduce(0) { $0 + $1.weight })
      state.messages = [:]
      defer { state.receivers = [:] }
      return Array(state.receivers.values)
    }
    for receiver in receivers { receiver.resume(returning: error.map { .failure($0) } ?? .success(([], nil))) }
  }

  /// - Returns: false if the last purge is less than a minute ago.
  func mayPurge() -> Bool {
    let now = parts.now
    return state.withLock { state in
      guard state.lastPurge == .min || state.lastPurge + 60_000 <= now else { return false }
      state.lastPurge = now
      return true
    }
  }

  // MARK: - Sending

  func known(_ id: String, now: Int64) -> Deduplication.Known? {
    state.withLock { $0.deduplication.find(id, now: now) }
  }

  func remember(_ id: String, _ known: Deduplication.Known) {
    state.withLock { $0.deduplication.insert(id, known) }
  }

  func forget(_ id: String) { state.withLock { $0.deduplication.remove(id) } }

  /// Messages that are on disk now.
  func arrive(
    _ messages: [(message: StoredMessage, due: Int64, receives: Int, firstReceived: Int64)], store: Int64
  ) {
    act { state, now, actions in
      // Purged meanwhile.
      guard state.store == store else { return }
      for (message, due, receives, first) in messages {
        state.messages[message.sequence] = self.parts.room.take(message.weight) ? message : nil
        state.machine.arrive(
          .init(
            sequence: message.sequence, due: due, sent: message.sent, group: message.group, receives: receives,
            firstReceived: first), now: now, &actions)
        if state.machine.entries[message.sequence] == nil { self.drop(message.sequence, &state) }
      }
    }
  }

  /// Lets go of what a message holds in memory.
  private func drop(_ sequence: Int64, _ state: inout State) {
    if let message = state.messages.removeValue(forKey: sequence) { parts.room.give(message.weight) }
  }

  // MARK: - Receiving

  struct Request: Sendable {
    let count: Int
    /// Milliseconds.
    let visibility: Int64
    /// `.max` = until there is a message.
    let wait: Int64
    let attempt: String?
  }

  /// - Parameter waits: called if there is nothing to be had at once.
  func receive(_ request: Request, waits: (@Sendable () -> Void)? = nil) async throws(AWSError) -> Delivered {
    let id = state.withLock { state in
      state.lastReceiver += 1
      return state.lastReceiver
    }
    let result: Result<Delivered, AWSError> = await withTaskCancellationHandler {
      await withCheckedContinuation { receiver in enlist(receiver, id, request, waits) }
    } onCancel: {
      cancel(id)
    }
    if Task.isCancelled { state.withLock { _ = $0.cancelled.remove(id) } }
    let delivered = try result.get()
    note { tally in
      tally.received += delivered.handouts.count
      if delivered.handouts.isEmpty { tally.emptyReceives += 1 }
    }
    parts.notes.note(delivered.handouts.map(\.delivery))
    return delivered
  }

  private func enlist(_ receiver: Receiver, _ id: Int, _ request: Request, _ waits: (@Sendable () -> Void)?) {
    var isRefused = false
    var isWaiting = false
    act { state, now, actions in
      // Whoever was cancelled before it came here has nothing to wait for.
      guard !state.isStopping, state.cancelled.remove(id) == nil else {
        isRefused = true
        return
      }
      state.receivers[id] = receiver
      state.machine.receive(
        .init(
          id: id, count: request.count, visibility: request.visibility,
          deadline: request.wait == .max ? .max : now + request.wait, isShort: request.wait == 0,
          attempt: request.attempt), now: now, &actions)
      isWaiting = state.machine.waiters.contains { $0.id == id }
    }
    if isRefused { receiver.resume(returning: .success(([], nil))) } else if isWaiting { waits?() }
  }

  /// The caller does not want an answer any more.
  private func cancel(_ id: Int) {
    let receiver = state.withLock { state -> Receiver? in
      guard state.machine.cancel(waiter: id) else {
        if state.receivers[id] == nil { state.cancelled.insert(id) }
        return nil
      }
      return state.receivers.removeValue(forKey: id)
    }
    receiver?.resume(returning: .success(([], nil)))
  }

  /// Messages that wait, for a move elsewhere.
  /// - Returns: them, and whether there may be more in a moment.
  func claim(_ count: Int) -> (claimed: [Int64], isBusy: Bool) {
    var (claimed, isBusy): ([Int64], Bool) = ([], false)
    act { state, now, actions in
      claimed = state.machine.claim(count, now: now, &actions)
      isBusy = state.machine.isBusy
    }
    return (claimed, isBusy)
  }

  /// How often messages were received, and first when.
  func receives(of sequences: [Int64]) -> [Int64: (Int, Int64)] {
    state.withLock { state in
      var counts: [Int64: (Int, Int64)] = [:]
      for sequence in sequences {
        counts[sequence] = state.machine.entries[sequence].map { ($0.arrival.receives, $0.arrival.firstReceived) }
      }
      return counts
    }
  }

  /// Counts something for CloudWatch.
  func note(_ body: (inout QueueTally) -> Void) { tally.withLock { body(&$0.tally) } }

  /// What happened since the last time, and whether anything has in the last six hours.
  /// - Parameter now: seconds since 1970.
  func takeTally(now: Int64) -> (tally: QueueTally, isActive: Bool) {
    tally.withLock { state in
      if state.tally != QueueTally() || state.lastUse == nil { state.lastUse = now }
      defer { state.tally = QueueTally() }
      return (state.tally, now - (state.lastUse ?? now) < 6 * 3600)
    }
  }

  func census() -> QueueCensus {
    let now = parts.now
    let (counts, oldest) = state.withLock { state in
      (state.machine.counts(now: now), state.machine.entries.values.lazy.map(\.arrival.sent).min())
    }
    return QueueCensus(
      key: key, visible: counts.visible, inFlight: counts.hidden, delayed: counts.delayed,
      oldest: oldest.map { Timestamp(milliseconds: $0) })
  }

  func counts() -> (visible: Int, hidden: Int, delayed: Int) {
    let now = parts.now
    return state.withLock { $0.machine.counts(now: now) }
  }

  // MARK: - Deleting, hiding

  func leave(_ sequence: Int64, receipt: Int64) -> QueueStateMachine.Leave {
    state.withLock { $0.machine.leave(sequence, receipt: receipt) }
  }

  func left(_ sequences: [Int64]) {
    parts.notes.forget(sequences)
    act { state, now, actions in
      for sequence in sequences {
        self.drop(sequence, &state)
        state.machine.left(sequence, now: now, &actions)
      }
    }
  }

  func leftTail() { state.withLock { $0.machine.leftTail() } }

  func stayed(_ sequences: [Int64]) {
    act { state, now, actions in
      for sequence in sequences { state.machine.stayed(sequence, now: now, &actions) }
    }
  }

  /// The dead-letter queue cannot be reached: messages are received as if there were none.
  func suspendRedrive() { state.withLock { $0.machine.settings.maxReceives = nil } }

  func change(_ sequence: Int64, receipt: Int64, visibility: Int64) -> QueueStateMachine.Change {
    var change = QueueStateMachine.Change.unknown
    var note: QueueStateMachine.Delivery?
    act { state, now, actions in
      let arrival = state.machine.entries[sequence]?.arrival
      change = state.machine.change(sequence, receipt: receipt, visibility: visibility, now: now, &actions)
      if case .done(let until) = change, let arrival {
        note = .init(
          sequence: sequence, receipt: receipt, receives: arrival.receives, firstReceived: arrival.firstReceived,
          until: until)
      }
    }
    if let note { parts.notes.note([note]) }
    return change
  }

  // MARK: - Acting

  /// Lets something happen to the machine, then does what it wants done.
  private func act(_ body: (inout State, Int64, inout [QueueStateMachine.Action]) -> Void) {
    let now = parts.now
    var answers: [(Receiver, Result<Delivered, AWSError>)] = []
    var rest: [QueueStateMachine.Action] = []
    let store = state.withLock { state in
      var actions: [QueueStateMachine.Action] = []
      body(&state, now, &actions)
      for action in actions {
        if let answer = answer(action, &state) { answers.append(answer) } else { rest.append(action) }
      }
      setAlarm(&state, now)
      return state.store
    }
    for (receiver, result) in answers { receiver.resume(returning: result) }
    for action in rest { perform(action, store) }
  }

  private func answer(
    _ action: QueueStateMachine.Action, _ state: inout State
  ) -> (Receiver, Result<Delivered, AWSError>)? {
    switch action {
    case .deliver(let id, let deliveries):
      guard let receiver = state.receivers.removeValue(forKey: id) else { return nil }
      var handouts: [Handout] = []
      for delivery in deliveries {
        handouts.append((delivery, state.messages[delivery.sequence]))
        // Most are deleted next; what comes back is read from the disk.
        drop(delivery.sequence, &state)
      }
      return (receiver, .success((handouts, handouts.isEmpty ? nil : Alarms.Work(parts.alarms))))
    case .refuse(let id):
      guard let receiver = state.receivers.removeValue(forKey: id) else { return nil }
      return (
        receiver,
        .failure(.sqsOverLimit("Too many messages are in flight; delete some, or wait until they are visible again."))
      )
    case .forget(let sequences):
      for sequence in sequences { drop(sequence, &state) }
      return nil
    case .expire(let sequences):
      for sequence in sequences { drop(sequence, &state) }
      return nil
    case .deadLetter(let sequences):
      for sequence in sequences { drop(sequence, &state) }
      return nil
    case .load: return nil
    }
  }

  private func perform(_ action: QueueStateMachine.Action, _ store: Int64) {
    switch action {
    case .deliver, .refuse, .forget: return
    case .expire(let sequences):
      parts.notes.forget(sequences)
      parts.database.enqueue(
        { session in
          for sequence in sequences { try session.deleteMessage(sequence, store: store) }
        }, ended: { [parts] in parts.report($0, "expire messages") })
    case .deadLetter(let sequences): bury(self, sequences)
    case .load(let after, let count): load(after, count, store)
    }
  }

  private func load(_ after: QueueStateMachine.Position?, _ count: Int, _ store: Int64) {
    let parts = parts
    parts.alarms.begin()
    parts.threads.submit { _ in
      var messages: [Int64: StoredMessage] = [:]
      let page = Result { () throws(Fault) in
        try parts.database.read { session throws(Fault) in
          try session.page(store: store, after: after, count: count) { message in
            guard parts.room.take(message.weight) else { return false }
            messages[message.sequence] = message
            return true
          }
        }
      }
      if case .failure(let fault) = page { parts.log.error("messages cannot be read", metadata: ["fault": "\(fault)"]) }
      self.act { state, now, actions in
        var unused = messages
        if state.store == store {
          if case .success(let page) = page {
            state.machine.loaded(page, isEnd: page.count < count, now: now, &actions)
            for (sequence, message) in messages
            where state.machine.entries[sequence]?.phase == .waiting && state.messages[sequence] == nil {
              state.messages[sequence] = message
              unused[sequence] = nil
            }
            // What was delivered at once is at hand as well.
            for case .deliver(_, let deliveries) in actions {
              for delivery in deliveries where state.messages[delivery.sequence] == nil {
                state.messages[delivery.sequence] = unused.removeValue(forKey: delivery.sequence)
              }
            }
          } else {
            state.machine.loadFailed(now: now, &actions)
          }
        }
        parts.room.give(unused.values.reduce(0) { $0 + $1.weight })
      }
      parts.alarms.end()
    }
  }

  /// One alarm at a time: the earliest that was asked for. One that rings for nothing is set anew.
  private func setAlarm(_ state: inout State, _ now: Int64) {
    guard !state.isStopping, let wake = state.machine.nextWake(now: now) else { return }
    if let alarm = state.alarm {
      guard wake < alarm.due else { return }
      parts.alarms.cancel(alarm.alarm)
    }
    let alarm = parts.alarms.set(at: Timestamp(milliseconds: wake)) { [weak self] in
      self?.act { state, now, actions in
        state.alarm = nil
        state.machine.pass(now: now, &actions)
      }
    }
    state.alarm = (alarm, wake)
  }
}

extension LiveQueue.Parts {
  func report<T>(_ result: Result<T, Fault>, _ what: String) {
    if case .failure(let fault) = result { log.error("cannot \(what)", metadata: ["fault": "\(fault)"]) }
  }
}

/// How much memory the messages of all queues may take; what has no room is read from the disk when it is received.
final class MessageRoom: Sendable {
  private let limit: Int
  private let used = Atomic<Int>(0)

  init(_ limit: ByteCount) { self.limit = limit.bytes }

  func take(_ count: Int) -> Bool {
    if used.add(count, ordering: .relaxed).newValue <= limit { return true }
    give(count)
    return false
  }

  func give(_ count: Int) { used.subtract(count, ordering: .relaxed) }

  var inUse: Int { used.load(ordering: .relaxed) }
}

/// How often messages were received, and until when they are hidden: kept for a second before it is written, because
/// most of them are deleted before. A crash loses that second, which receivers see as one receive that was not counted.
final class ReceiveNotes: Sendable {
  private struct Note { var receives: Int, first: Int64, until: Int64 }
  private struct State {
    var notes: [Int64: Note] = [:]
    var isSet = false
  }

  private let database: Database
  private let alarms: Alarms
  private let state = Mutex(State())

  init(database: Database, alarms: Alarms) {
    self.database = database
    self.alarms = alarms
  }

  func note(_ deliveries: [QueueStateMachine.Delivery]) {
    guard !deliveries.isEmpty else { return }
    let mustSet = state.withLock { state in
      for delivery in deliveries {
        state.notes[delivery.sequence] = Note(
          receives: delivery.receives, first: delivery.firstReceived, until: delivery.until)
      }
      defer { state.isSet = true }
      return !state.isSet
    }
    if mustSet { alarms.set(at: alarms.world.now() + .seconds(1)) { self.flush() } }
  }

  func forget(_ sequences: [Int64]) {
    state.withLock { state in for sequence in sequences { state.notes[sequence] = nil } }
  }

  func flush(ended: @escaping @Sendable () -> Void = {}) {
    let notes = state.withLock { state in
      state.isSet = false
      defer { state.notes = [:] }
      return state.notes
    }
    guard !notes.isEmpty else { return ended() }
    database.enqueue(
      { session in
        for (sequence, note) in notes {
          try session.note(sequence, receives: note.receives, firstReceived: note.first, hidden: note.until)
        }
      }, ended: { _ in ended() })
  }
}
