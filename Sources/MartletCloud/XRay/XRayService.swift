// AWS X-Ray, embedded: segments in a database of their own, rules and groups as documents. Its table is in
// XRayOperations.swift. https://docs.aws.amazon.com/xray/latest/devguide/aws-xray.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

/// The namespace of the operations.
package enum XRay {}

package final class XRayService: Sendable {
  package struct Limits: Sendable {
    /// Of all documents together, on disk: the oldest traces go first.
    package var storage: ByteCount
    /// Waiting to be written.
    package var waiting = ByteCount.mebibytes(32)
    /// How long traces are kept.
    package var retention = Duration.seconds(30 * 86400)
    /// How long what comes in waits for more, so that it is written together.
    package var patience = Duration.milliseconds(100)

    package init(storage: ByteCount = .mebibytes(1024)) { self.storage = storage }
  }

  /// Since the start of the server.
  package struct Counts: Sendable, Equatable {
    package var segments = 0
    /// Too much waited.
    package var dropped = 0
    /// They were no segments, or could not be written.
    package var refused = 0
  }

  let groups: Catalogue<XRayGroup>
  let rules: Catalogue<SamplingRule>
  let settings: Catalogue<XRaySettings>
  let alarms: Alarms
  let log: Logger
  let limits: Limits
  let store: TraceStore
  /// Hears of what was written.
  let export: TelemetryExport?
  let intake: Mutex<TraceIntake>
  let counts = Mutex(Counts())
  let sampling = Mutex(SamplingTable())
  /// When traces were last looked through for what is too old or too much; nil = not yet.
  let swept = Mutex<Timestamp?>(nil)
  private let readers: NIOThreadPool
  let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation
  private let wire: Mutex<RESTService<XRayService>?>

  var world: MovableWorld { alarms.world }
  package var totals: Counts { counts.withLock { $0 } }
  /// Of all documents on disk.
  package var storedBytes: Int { (try? store.size()) ?? 0 }

  /// The database must have been migrated with `Documents`.
  /// - Parameter path: of the database of the segments.
  package init(
    database: Database, path: String, alarms: Alarms, log: Logger, limits: Limits = Limits(),
    export: TelemetryExport? = nil
  ) throws(Fault) {
    self.export = export
    self.alarms = alarms
    self.log = log
    self.limits = limits
    intake = Mutex(TraceIntake(limit: limits.waiting.bytes))
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    store = try TraceStore(path: path)
    groups = try Catalogue(database: database)
    rules = try Catalogue(database: database)
    settings = try Catalogue(database: database)
    readers = NIOThreadPool(numberOfThreads: 1)
    readers.start()
    wire = Mutex(nil)
  }

  /// As it is served by HTTP, which is also what programs find on the daemon's TCP port.
  package func wireService(_ door: Door) -> RESTService<XRayService> {
    let service = RESTService(
      self, rows: XRayService.rows, door: door, messageKey: .upper,
      violationCode: "InvalidRequestException")
    wire.withLock { $0 = service }
    return service
  }

  var daemonService: RESTService<XRayService>? { wire.withLock { $0 } }

  /// Writes what comes in, until `stop`.
  package func run() async {
    for await _ in pokes {
      if !intake.withLock({ $0.isUrgent }) { try? await Task.sleep(for: limits.patience) }
      await writeIntake()
      await sweep()
    }
    await writeIntake()
    try? await readers.shutdownGracefully()
  }

  package func stop() { poke.finish() }
  func wake() { poke.yield() }

  /// Called from time to time: the clock may have been moved past what is to be removed.
  package func tick() { if isSweepDue { wake() } }

  // MARK: - Reading

  /// The time before which nothing is shown, in milliseconds since 1970.
  var horizon: Int64 {
    world.now().milliseconds - limits.retention.components.seconds * 1000
  }

  /// Runs what reads, when everything that has come in is written.
  func reading<T: Sendable>(_ body: @escaping @Sendable (TraceStore) throws(Fault) -> T)
    async throws(AWSError) -> T
  {
    await settle()
    let result: Result<T, Fault>
    do {
      result = try await readers.runIfActive { () -> Result<T, Fault> in
        do throws(Fault) { return .success(try body(self.store)) } catch { return .failure(error) }
      }
    } catch { throw .xrayBusy() }
    do throws(Fault) { return try result.get() } catch { throw .service("\(error)") }
  }

  func settings(_ place: Place) -> XRaySettings {
    let key = ResourceKey(place: place, name: XRaySettings.name)
    return settings.find(key) ?? XRaySettings(key: key)
  }
}
