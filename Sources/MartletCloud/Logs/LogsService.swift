// Amazon CloudWatch Logs, embedded: groups in the database, events in files. Its table is in LogsOperations.swift.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/WhatIsCloudWatchLogs.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

package final class LogsService: Sendable {
  /// What is kept of every kind, and how much.
  package struct Limits: Sendable {
    /// On disk, of all groups together: the oldest segments go first.
    package var storage: ByteCount
    /// Waiting to be written, of all streams together and of one.
    package var waiting = ByteCount.mebibytes(64)
    package var waitingPerStream = ByteCount.mebibytes(8)

    package init(storage: ByteCount = .mebibytes(2048)) { self.storage = storage }
  }

  let groups: Catalogue<LogGroup>
  let definitions: Catalogue<QueryDefinition>
  let policies: Catalogue<LogsPolicy>
  let exportTasks: Catalogue<ExportTask>
  let exports = ExportLine()
  let alarms: Alarms
  let log: Logger
  let limits: Limits
  /// The one thread that changes files.
  let writer: NIOThreadPool
  /// Those that search.
  let searchers: NIOThreadPool
  private let root: String
  /// Directories that are open, by the store of their group.
  private let folders = Mutex<[String: LogFolder]>([:])
  let intake: Mutex<Intake>
  private let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation
  let tails = Mutex<[ObjectIdentifier: LiveTail]>([:])
  let queries = Mutex(QueryShelf())
  let sweep = Mutex<(alarm: Alarms.Alarm, due: Timestamp)?>(nil)
  let counts = Mutex(Counts())
  let subscriptions: Outbox
  /// The minute in which each metric filter had its usual value last.
  let usualMinutes = Mutex<[String: Int64]>([:])
  let door: Door
  /// Hears of what was written.
  let export: TelemetryExport?

  /// Since the start of the server.
  package struct Counts: Sendable, Equatable {
    package var events = 0
    package var bytes = 0
    /// Refused to the platform, because too much waited.
    package var droppedBatches = 0
    package var droppedEvents = 0
    package var removedBytes = 0
  }

  package var totals: Counts { counts.withLock { $0 } }
  /// On disk.
  package var storedBytes: Int { allFolders.reduce(0) { $0 + $1.size } }

  var world: MovableWorld { alarms.world }
  var now: Int64 { world.now().milliseconds }

  /// The database must have been migrated. Reads what lies in `root`; what belongs to no group is removed.
  package init(
    database: Database, root: String, alarms: Alarms, door: Door, log: Logger, limits: Limits = Limits(),
    export: TelemetryExport? = nil
  ) throws(Fault) {
    self.export = export
    self.root = root
    self.alarms = alarms
    self.log = log
    self.limits = limits
    self.door = door
    intake = Mutex(Intake(limits))
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    writer = NIOThreadPool(numberOfThreads: 1)
    writer.start()
    searchers = NIOThreadPool(numberOfThreads: 2)
    searchers.start()
    try Files.makeDirectory(root)
    groups = try Catalogue(database: database)
    definitions = try Catalogue(database: database)
    policies = try Catalogue(database: database)
    exportTasks = try Catalogue(database: database)
    subscriptions = try Outbox("logs", database: database, alarms: alarms, log: log)
    var known: [String: LogFolder] = [:]
    for group in groups.all { known[group.store] = try LogFolder(path: "\(root)/\(group.store)") }
    for name in Files.names(in: root) where known[name] == nil {
      if let orphan = try? LogFolder(path: "\(root)/\(name)") { orphan.removeAll() }
    }
    folders.withLock { $0 = known }
    armSweep()
  }

  /// Writes what comes in, until `stop`.
  package func run() async {
    for await _ in pokes { await writeIntake() }
    await writeIntake()
    for folder in allFolders {
      do throws(Fault) { try folder.close() } catch {
        log.error("logs are not safe on disk", metadata: ["fault": "\(error)"])
      }
    }
    try? await writer.shutdownGracefully()
    try? await searchers.shutdownGracefully()
  }

  /// Answers whoever is being told of events, because the server stops; nothing is sent on any more.
  package func release() {
    for tail in tails.withLock({ Array($0.values) }) { tail.end() }
    subscriptions.pause()
  }

  /// Everything that was taken in so far is written, and nothing is any more.
  package func stop() {
    release()
    exports.end()
    subscriptions.stop()
    poke.finish()
  }

  func wake() { poke.yield() }

  // MARK: - Groups

  func group(_ name: String, _ place: Place) throws(AWSError) -> LogGroup {
    guard let group = groups.find(ResourceKey(place: place, name: name)) else { throw .logsNoGroup() }
    return group
  }

  func group(_ reference: GroupReference, _ place: Place) throws(AWSError) -> LogGroup {
    try group(try reference.name(in: place), place)
  }

  func newStore() -> String { randomHex(16, from: world) }

  /// Changes a group.
  func update<T: Sendable>(
    _ name: String, _ place: Place, _ body: @escaping @Sendable (inout LogGroup) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    try await groups.change(ResourceKey(place: place, name: name)) { record throws(AWSError) -> T in
      guard var group = record else { throw .logsNoGroup() }
      let value = try body(&group)
      record = group
      return value
    }
  }

  // MARK: - Folders

  var allFolders: [LogFolder] { folders.withLock { Array($0.values) } }

  /// The directory of a group, made if there is none. Blocking only then.
  func folder(_ group: LogGroup) throws(Fault) -> LogFolder {
    if let folder = folders.withLock({ $0[group.store] }) { return folder }
    let made = try LogFolder(path: "\(root)/\(group.store)")
    return folders.withLock { folders in
      if let folder = folders[group.store] { return folder }
      folders[group.store] = made
      return made
    }
  }

  /// Blocking; on the thread that changes files.
  func removeFolder(_ group: LogGroup) {
    let folder = folders.withLock { $0.removeValue(forKey: group.store) }
    folder?.removeAll()
  }

  /// Runs what changes files.
  func blocking<T: Sendable>(_ body: @escaping @Sendable () throws(Fault) -> T) async throws(AWSError) -> T {
    try await run(on: writer, body)
  }

  /// Runs what reads files.
  func searching<T: Sendable>(_ body: @escaping @Sendable () throws(Fault) -> T) async throws(AWSError) -> T {
    try await run(on: searchers, body)
  }

  private func run<T: Sendable>(
    on pool: NIOThreadPool, _ body: @escaping @Sendable () throws(Fault) -> T
  ) async throws(AWSError) -> T {
    let result: Result<T, Fault>
    do {
      result = try await pool.runIfActive { () -> Result<T, Fault> in
        do throws(Fault) { return .success(try body()) } catch { return .failure(error) }
      }
    } catch { throw .logsBusy() }
    do throws(Fault) { return try result.get() } catch { throw .service("\(error)") }
  }
}
