// From a batch of events to the disk: whoever writes hands over and goes on; one loop writes what has come together.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

/// Batches that wait to be written.
struct Intake: Sendable {
  struct Item: Sendable {
    let name: LogStreamName
    let batch: LogBatch
    /// Told when the events are written; nil for the platform, which does not wait.
    let done: CheckedContinuation<AWSError?, Never>?
  }

  private let limits: LogsService.Limits
  private(set) var items: [Item] = []
  private var bytes = 0
  private var byStream: [LogStreamName: Int] = [:]

  init(_ limits: LogsService.Limits) { self.limits = limits }

  /// False if there is no room: then nothing has changed.
  mutating func add(_ item: Item) -> Bool {
    let size = item.batch.size
    guard bytes + size <= limits.waiting.bytes,
      byStream[item.name, default: 0] + size <= limits.waitingPerStream.bytes
    else { return false }
    bytes += size
    byStream[item.name, default: 0] += size
    items.append(item)
    return true
  }

  mutating func take() -> [Item] {
    defer {
      items = []
      bytes = 0
      byStream = [:]
    }
    return items
  }
}

extension LogsService: LogSink {
  package var wantsTraces: Bool { export != nil }

  package func write(_ batch: LogBatch, to stream: LogStreamName) -> Bool {
    // Moves of the clock wait until it is written.
    alarms.begin()
    let taken = intake.withLock { $0.add(.init(name: stream, batch: batch, done: nil)) }
    if taken {
      wake()
    } else {
      alarms.end()
      counts.withLock { counts in
        counts.droppedBatches += 1
        counts.droppedEvents += batch.count
      }
    }
    return taken
  }

  /// Writes events of a client; they are in the file when this returns.
  func put(_ batch: LogBatch, to stream: LogStreamName) async throws(AWSError) {
    let refusal = await withCheckedContinuation { continuation in
      alarms.begin()
      let taken = intake.withLock { $0.add(.init(name: stream, batch: batch, done: continuation)) }
      if taken { return wake() }
      alarms.end()
      continuation.resume(returning: .logsBusy())
    }
    if let refusal { throw refusal }
  }

  /// Writes everything that has come together.
  func writeIntake() async {
    let items = intake.withLock { $0.take() }
    guard !items.isEmpty else { return }
    defer { for _ in items { alarms.end() } }
    var byGroup: [ResourceKey: [Intake.Item]] = [:]
    for item in items {
      byGroup[ResourceKey(place: item.name.place, name: item.name.group), default: []].append(item)
    }
    for (key, items) in byGroup { await write(items, to: key) }
    await makeRoom()
  }

  private func write(_ items: [Intake.Item], to key: ResourceKey) async {
    do throws(AWSError) {
      let group: LogGroup
      if let there = groups.find(key) {
        group = there
      } else {
        // Only the platform makes groups by writing.
        guard items.contains(where: { $0.done == nil }) else { throw AWSError.logsNoGroup() }
        group = try await makeGroup(key)
      }
      let ingestion = now
      let written = try await blocking { () throws(Fault) -> [(LogStream, LogBatch)] in
        let folder = try self.folder(group)
        var batches: [(stream: LogStream, batch: LogBatch)] = []
        for item in items {
          if item.done != nil, folder.stream(item.name.stream) == nil { continue }
          let stream = try folder.makeStream(item.name.stream, at: ingestion, isSafe: false).stream
          batches.append((stream, item.batch))
        }
        try folder.append(batches.map { ($0.stream.id, $0.batch) }, ingestion: ingestion)
        return batches
      }
      let names = Set(written.map(\.0.name))
      for item in items { item.done?.resume(returning: names.contains(item.name.stream) ? nil : .logsNoStream()) }
      counts.withLock { counts in
        for (_, batch) in written {
          counts.events += batch.count
          counts.bytes += batch.size
        }
      }
      show(written, of: group, ingestion: ingestion)
      if let export {
        for (stream, batch) in written {
          let name = LogStreamName(place: key.place, group: key.name, stream: stream.name)
          export.took(batch, of: name, received: ingestion)
        }
      }
      await passOn(written, of: group)
      await tellMetrics(written, of: group)
      if group.retention != nil { armSweep() }
    } catch {
      for item in items { item.done?.resume(returning: error) }
      if items.contains(where: { $0.done == nil }) {
        log.error(
          "log events are lost", metadata: ["group": "\(key.name)", "why": "\(error.note ?? error.message)"])
      }
    }
  }

  /// The group of a function's log, made as it is first written to.
  private func makeGroup(_ key: ResourceKey) async throws(AWSError) -> LogGroup {
    let (store, now) = (newStore(), now)
    return try await groups.change(key) { record throws(AWSError) -> LogGroup in
      if let there = record { return there }
      let made = LogGroup(key: key, store: store, created: now)
      record = made
      return made
    }
  }
}
