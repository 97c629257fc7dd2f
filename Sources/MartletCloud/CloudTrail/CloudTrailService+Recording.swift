// From the rows of operations to the disk: they hand over and go on; one loop writes what came together.
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

/// What waits to be written.
struct AuditIntake: Sendable {
  enum Item: Sendable {
    case call(AuditEntry)
    /// Somebody who wants to read what has come in before.
    case reader(CheckedContinuation<Void, Never>)
  }

  private let limit: Int
  private var items: [Item] = []
  private var bytes = 0
  /// Somebody waits.
  private(set) var isUrgent = false

  init(limit: Int) { self.limit = limit }

  /// False if there is no room: then nothing has changed.
  mutating func add(_ entry: AuditEntry) -> Bool {
    let size = entry.size
    guard bytes + size <= limit else { return false }
    bytes += size
    items.append(.call(entry))
    return true
  }

  mutating func add(_ reader: CheckedContinuation<Void, Never>) {
    isUrgent = true
    items.append(.reader(reader))
  }

  mutating func take() -> [Item] {
    defer {
      items = []
      bytes = 0
      isUrgent = false
    }
    return items
  }
}

extension CloudTrailService: AuditSink {
  package func take(_ draft: AuditDraft) {
    var entry = AuditEntry(draft, id: RequestID(from: world), time: world.now())
    // Moves of the clock wait until it is written, if it may be delivered later.
    entry.holdsClock = hasTrails.load(ordering: .relaxed)
    if entry.holdsClock { alarms.begin() }
    if intake.withLock({ $0.add(entry) }) { return wake() }
    if entry.holdsClock { alarms.end() }
    counts.withLock { $0.dropped += 1 }
  }

  /// Returns when everything that came in before is written.
  func settle() async {
    await withCheckedContinuation { continuation in
      intake.withLock { $0.add(continuation) }
      wake()
    }
  }

  func writeIntake() async {
    let items = intake.withLock { $0.take() }
    guard !items.isEmpty else { return }
    defer { for case .call(let entry) in items where entry.holdsClock { alarms.end() } }
    var arrivals: [AuditStore.Arrival] = []
    let trails = trails.all
    for case .call(let entry) in items {
      let record = AuditRecord(entry)
      arrivals.append(.init(record: record, trails: trails.filter { $0.selects(record) }.map(\.arn)))
    }
    await write(arrivals)
    for case .reader(let continuation) in items { continuation.resume() }
  }

  private func write(_ arrivals: [AuditStore.Arrival]) async {
    guard !arrivals.isEmpty else { return }
    do throws(Fault) {
      try await store.append(arrivals)
    } catch {
      log.error("audit events are lost", metadata: ["fault": "\(error)", "events": "\(arrivals.count)"])
      counts.withLock { $0.dropped += arrivals.count }
      return
    }
    counts.withLock { $0.events += arrivals.count }
    for trail in Set(arrivals.flatMap(\.trails)) { expectDelivery(trail, after: limits.delivery) }
    for arrival in arrivals where !arrival.trails.isEmpty && !arrival.record.isReadOnly && !arrival.record.isData {
      await announce(arrival.record)
    }
  }

  /// Rules of EventBridge hear of what changed something while a trail records it.
  /// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
  private func announce(_ record: AuditRecord) async {
    guard door.isOffered(EventBridge.PutEvents.self) else { return }
    let entry = EventBridge.PutEvents.Entry(
      source: "aws.\(record.source.prefix { $0 != "." })", detailType: "AWS API Call via CloudTrail",
      detail: record.text, time: Timestamp(milliseconds: record.time))
    do throws(AWSError) {
      _ = try await door.call(EventBridge.PutEvents.self, .init(entries: [entry]), call(record.place))
    } catch {
      log.notice(
        "an audit event did not reach the bus", metadata: ["event": "\(record.id)", "why": "\(error.message)"])
    }
  }

  func call(_ place: Place) -> Call {
    Call(
      requestID: RequestID(from: world), place: place, caller: .service("cloudtrail.amazonaws.com"), host: "localhost",
      traceHeader: nil)
  }

  // MARK: - Limits

  /// How far the clock goes between two looks for what is too old.
  private static let sweepSpan = Duration.seconds(60)

  var isSweepDue: Bool {
    let now = world.now()
    return swept.withLock { last in
      guard let last else { return true }
      return now < last || now >= last + CloudTrailService.sweepSpan
    }
  }

  func sweep() async {
    let isFull = ((try? store.size()) ?? 0) > limits.storage.bytes
    guard isFull || isSweepDue else { return }
    swept.withLock { $0 = world.now() }
    // A little more than must be goes, so that not every event makes another one go.
    let room = limits.storage.bytes - (isFull ? limits.storage.bytes / 20 : 0)
    do throws(Fault) {
      try await store.sweep(before: horizon, keeping: room)
    } catch {
      log.error("old audit events cannot be removed", metadata: ["fault": "\(error)"])
    }
  }
}
