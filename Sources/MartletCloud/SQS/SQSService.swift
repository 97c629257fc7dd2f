// Amazon SQS, embedded: queues whose messages lie in the database. Its table of operations is in SQSOperations.swift.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

package final class SQSService: Sendable {
  let database: Database
  let queues: Catalogue<SQSQueue>
  let tasks: Catalogue<MoveTask>
  /// Tasks that are to be run.
  let started: AsyncStream<ResourceKey>
  let starts: AsyncStream<ResourceKey>.Continuation
  let live: LiveQueues
  let alarms: Alarms
  let log: Logger
  /// Tasks that run or ran.
  let moving = Mutex<Set<ResourceKey>>([])
  /// The minute in which CloudWatch was told last what is in queues.
  let told = Mutex<Int64>(0)
  private let stopping = Atomic<Bool>(false)
  var isStopping: Bool { stopping.load(ordering: .relaxed) }
  /// The number of the newest message. Used on the database's writer.
  private let lastSequence: Mutex<Int64>

  var world: MovableWorld { alarms.world }
  var now: Int64 { world.now().milliseconds }

  /// Bytes that messages in memory may take, of all queues together.
  package static let memory = ByteCount.mebibytes(64)
  /// Messages that wait in memory for each queue.
  package static let window = 10_000
  /// Rows that are removed in one transaction when a queue was purged.
  static let sweep = 2000

  package static let migrations = MessageTable.migrations

  /// The database must have been migrated.
  package init(
    database: Database, alarms: Alarms, log: Logger, memory: ByteCount = SQSService.memory,
    window: Int = SQSService.window, threads: NIOThreadPool = .singleton
  ) throws(Fault) {
    self.database = database
    self.alarms = alarms
    self.log = log
    (started, starts) = AsyncStream.makeStream()
    tasks = try Catalogue(database: database)
    let counts = try database.read { session throws(Fault) in try session.messageCounts() }
    let known = try database.read { session throws(Fault) in try session.deduplication() }
    lastSequence = Mutex(try database.read { session throws(Fault) in try session.lastMessage() })
    let live = LiveQueues(
      parts: LiveQueue.Parts(
        database: database, threads: threads, alarms: alarms, room: MessageRoom(memory),
        notes: ReceiveNotes(database: database, alarms: alarms), log: log, window: window),
      counts: counts)
    self.live = live
    queues = try Catalogue(database: database) { live.heard($0, $1) }
    live.start(queues)
    let stores = Dictionary(queues.all.map { ($0.store, $0.key) }, uniquingKeysWith: { $1 })
    for (store, id, message) in known {
      if let key = stores[store] { live.find(key)?.remember(id, message) }
    }
    for store in counts.keys where stores[store] == nil { clear(store) }
    live.serve(
      bury: { [weak self] in self?.bury($1, from: $0) }, emptied: { [weak self] in self?.clear($0) })
  }

  /// Has somebody hear of every queue that is made from now on.
  package func whenQueuesAppear(_ body: @escaping @Sendable (ResourceKey) -> Void) { live.tell(appeared: body) }

  /// Answers whoever waits, because the server stops; nobody waits any more.
  package func release() { live.stop() }

  /// Ends what runs, and writes down what is not written yet.
  package func stop() async {
    stopping.store(true, ordering: .relaxed)
    starts.finish()
    live.stop()
    await withCheckedContinuation { ended in live.parts.notes.flush { ended.resume() } }
  }

  /// Returns when everything that was begun so far is on disk.
  func allIsWritten() async throws(Fault) { try await database.write { _ in } }

  // MARK: - Queues

  /// The queue that a caller means.
  func queue(_ reference: SQS.QueueReference, _ call: Call) throws(AWSError) -> SQSQueue {
    let key = reference.key(for: call.place)
    if case .service = call.caller {
    } else if key.place.account != call.place.account {
      // Until policies are evaluated, nobody but the owner may do anything with a queue.
      throw .sqsOtherAccount(reference.url)
    }
    guard let queue = queues.find(key) else { throw .sqsNoQueue() }
    return queue
  }

  func line(_ reference: SQS.QueueReference, _ call: Call) throws(AWSError) -> (SQSQueue, LiveQueue) {
    let queue = try queue(reference, call)
    guard let line = live.find(queue.key) else { throw .sqsNoQueue() }
    return (queue, line)
  }

  func newStore() -> Int64 { Int64(bitPattern: world.random() >> 2) }

  /// The number of the next message: microseconds since 1970, or one more than the last. Only on the writer.
  func nextSequence() -> Int64 {
    let now = world.now().nanoseconds / 1000
    return lastSequence.withLock { last in
      last = max(last + 1, now)
      return last
    }
  }

  /// Removes the messages of a store that no queue has any more, a few at a time.
  func clear(_ store: Int64) {
    database.enqueue(
      { session in try session.clear(store: store, count: SQSService.sweep) },
      ended: { [weak self] result in
        switch result {
        case .success(let isMore): if isMore { self?.clear(store) }
        case .failure(let fault): self?.log.error("cannot clear a queue", metadata: ["fault": "\(fault)"])
        }
      })
  }
}

/// The queues in operation, which follow the catalogue.
final class LiveQueues: Sendable {
  private struct State {
    var queues: [ResourceKey: LiveQueue] = [:]
    /// By dead-letter queue.
    var sources: [ResourceKey: Set<ResourceKey>] = [:]
    var counts: [Int64: Int]
    var catalogue: Catalogue<SQSQueue>?
    var bury: @Sendable (LiveQueue, [Int64]) -> Void = { _, _ in }
    var emptied: @Sendable (Int64) -> Void = { _ in }
    var appeared: @Sendable (ResourceKey) -> Void = { _ in }
  }

  let parts: LiveQueue.Parts
  private let state: Mutex<State>

  init(parts: LiveQueue.Parts, counts: [Int64: Int]) {
    self.parts = parts
    state = Mutex(State(counts: counts))
  }

  func serve(
    bury: @escaping @Sendable (LiveQueue, [Int64]) -> Void, emptied: @escaping @Sendable (Int64) -> Void
  ) {
    state.withLock { state in
      state.bury = bury
      state.emptied = emptied
    }
  }

  func tell(appeared: @escaping @Sendable (ResourceKey) -> Void) { state.withLock { $0.appeared = appeared } }

  /// Every queue is known now, so that those with dead-letter queues can be told whether these are there.
  func start(_ catalogue: Catalogue<SQSQueue>) {
    state.withLock { $0.catalogue = catalogue }
    for record in catalogue.all { configure(record) }
  }

  func find(_ key: ResourceKey) -> LiveQueue? { state.withLock { $0.queues[key] } }

  var all: [LiveQueue] { state.withLock { Array($0.queues.values) } }

  /// The queues whose dead-letter queue it is.
  func sources(of key: ResourceKey) -> Set<ResourceKey> { state.withLock { $0.sources[key] ?? [] } }

  func stop() { for queue in state.withLock({ Array($0.queues.values) }) { queue.close(nil) } }

  /// A queue was made, changed or deleted.
  func heard(_ before: SQSQueue?, _ after: SQSQueue?) {
    guard let key = after?.key ?? before?.key else { return }
    let (gone, emptied, sources) = state.withLock { state in
      if let target = before?.redrive?.target { state.sources[target]?.remove(key) }
      if let target = after?.redrive?.target { state.sources[target, default: []].insert(key) }
      var gone: LiveQueue?
      if let after, state.queues[key] == nil {
        state.queues[key] = LiveQueue(
          after, parts: parts, tail: state.counts.removeValue(forKey: after.store) ?? 0,
          receipts: Int64(bitPattern: parts.alarms.world.random() >> 2)
        ) { [weak self] in self?.bury($0, $1) }
      } else if after == nil {
        gone = state.queues.removeValue(forKey: key)
      }
      return (gone, state.emptied, state.sources[key] ?? [])
    }
    gone?.close(.sqsNoQueue())
    if let after { configure(after) }
    if let before, before.store != after?.store { emptied(before.store) }
    // Queues whose dead-letter queue came or went.
    if (before == nil) != (after == nil) {
      if after != nil { state.withLock { $0.appeared }(key) }
      for source in sources {
        if let record = state.withLock({ $0.catalogue })?.find(source) { configure(record) }
      }
    }
  }

  private func configure(_ record: SQSQueue) {
    let (queue, isRedriven) = state.withLock { state in
      (state.queues[record.key], record.redrive.map { state.queues[$0.target] != nil } == true)
    }
    queue?.configure(record, isRedriven: isRedriven)
  }

  private func bury(_ queue: LiveQueue, _ sequences: [Int64]) {
    state.withLock { $0.bury }(queue, sequences)
  }
}
