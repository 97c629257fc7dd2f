// AWS CloudTrail, embedded: what was called, by whom, kept for ninety days and delivered to buckets. Its table is in
// CloudTrailOperations.swift. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-user-guide.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

/// The namespace of the operations.
package enum CloudTrail {}

package final class CloudTrailService: Sendable {
  package struct Limits: Sendable {
    /// Of all events together, on disk: the oldest go first.
    package var storage = ByteCount.mebibytes(512)
    /// Waiting to be written.
    package var waiting = ByteCount.mebibytes(32)
    /// How long events are kept.
    package var retention = Duration.seconds(90 * 86400)
    /// How long what comes in waits for more, so that it is written together.
    package var patience = Duration.milliseconds(50)
    /// How long a trail collects events before it writes a file.
    package var delivery = Duration.seconds(300)
    /// Events of one file.
    package var file = 1000

    package init() {}
  }

  /// Since the start of the server.
  package struct Counts: Sendable, Equatable {
    package var events = 0
    /// Too much waited, or they could not be written.
    package var dropped = 0
    /// Files that were put into buckets.
    package var files = 0
  }

  let trails: Catalogue<Trail>
  let store: AuditStore
  let alarms: Alarms
  let door: Door
  let log: Logger
  let limits: Limits
  let intake: Mutex<AuditIntake>
  let counts = Mutex(Counts())
  /// Trails whose alarm has rung, and those whose alarm will; how often each has failed in a row.
  let deliveries = Mutex(TrailDeliveries())
  /// Some trail takes events.
  let hasTrails = Atomic<Bool>(false)
  /// When events were last looked through for what is too old or too much; nil = not yet.
  let swept = Mutex<Timestamp?>(nil)
  private let readers: NIOThreadPool
  private let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation

  var world: MovableWorld { alarms.world }
  package var totals: Counts { counts.withLock { $0 } }
  /// Of all events on disk.
  package var storedBytes: Int { (try? store.size()) ?? 0 }

  /// The database must have been migrated with `Documents`.
  /// - Parameter path: of the database of the events.
  package init(
    database: Database, path: String, alarms: Alarms, door: Door, log: Logger, limits: Limits = Limits()
  ) throws(Fault) {
    self.alarms = alarms
    self.door = door
    self.log = log
    self.limits = limits
    intake = Mutex(AuditIntake(limit: limits.waiting.bytes))
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    store = try AuditStore(path: path)
    trails = try Catalogue(database: database)
    readers = NIOThreadPool(numberOfThreads: 1)
    readers.start()
  }

  /// Hears of calls from now on.
  package func listen() {
    updateAudited()
    door.audit(to: self)
  }

  /// Tells the door what is wanted, after trails have changed: data events cost nothing while no trail takes any.
  func updateAudited() {
    let all = trails.all
    var kinds: Set<AuditClass> = [.management]
    for kind in [AuditClass.functions, .objects] where all.contains(where: { $0.wants(kind) }) { kinds.insert(kind) }
    door.setAudited(kinds)
    hasTrails.store(all.contains { $0.status.isLogging }, ordering: .relaxed)
  }

  /// Writes what comes in, and delivers what is due, until `stop`.
  package func run() async {
    for trail in (try? store.debtors()) ?? [] { expectDelivery(trail, after: .zero) }
    for await _ in pokes {
      if !intake.withLock({ $0.isUrgent }) { try? await Task.sleep(for: limits.patience) }
      await writeIntake()
      await deliverDue()
      await sweep()
    }
    await writeIntake()
    try? await readers.shutdownGracefully()
  }

  package func stop() { poke.finish() }
  func wake() { poke.yield() }

  /// Called from time to time: the clock may have been moved past what is to be removed.
  package func tick() { if isSweepDue { wake() } }

  /// The time before which nothing is shown, in milliseconds since 1970.
  var horizon: Int64 { world.now().milliseconds - limits.retention.components.seconds * 1000 }

  /// Runs what reads, when everything that has come in is written.
  func reading<T: Sendable>(_ body: @escaping @Sendable (AuditStore) throws(Fault) -> T) async throws(AWSError) -> T {
    await settle()
    let result: Result<T, Fault>
    do {
      result = try await readers.runIfActive { () -> Result<T, Fault> in
        do throws(Fault) { return .success(try body(self.store)) } catch { return .failure(error) }
      }
    } catch { throw .cloudTrailBusy() }
    do throws(Fault) { return try result.get() } catch { throw .service("\(error)") }
  }

  /// Changes a trail that is there.
  func change(
    _ key: ResourceKey, _ body: @escaping @Sendable (inout Trail) throws(AWSError) -> Void
  ) async throws(AWSError) -> Trail {
    let changed = try await trails.change(key) { (record: inout Trail?) throws(AWSError) -> Trail in
      guard var trail = record else { throw .trailNotFound(key.name, key.place.account) }
      try body(&trail)
      record = trail
      return trail
    }
    updateAudited()
    return changed
  }
}
