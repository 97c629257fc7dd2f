// Amazon EventBridge, embedded: buses, rules, targets, archives. Its table of operations is in
// EventBridgeOperations.swift. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class EventBridgeService: Sendable {
  let database: Database
  let buses: Catalogue<EventBus>
  package let rules: Catalogue<EventRule>
  let archives: Catalogue<EventArchive>
  let replays: Catalogue<EventReplay>
  let live: RuleTable
  let keepers: ArchiveKeepers
  let tallies: RuleTallies
  /// As CloudWatch was told.
  let told = Mutex<[String: RuleTally]>([:])
  let outbox: Outbox
  let door: Door
  let alarms: Alarms
  let log: Logger
  /// Replays that are to be run.
  let started: AsyncStream<ResourceKey>
  let starts: AsyncStream<ResourceKey>.Continuation
  /// Replays that run.
  let replaying = Mutex<Set<ResourceKey>>([])
  private let stopping = Atomic<Bool>(false)
  var isStopping: Bool { stopping.load(ordering: .relaxed) }

  package static let migrations = ArchiveTable.migrations

  /// The database must have been migrated.
  /// - Parameter observer: hears of every rule that is made, changed or deleted, and of all at the start.
  package init(
    database: Database, door: Door, alarms: Alarms, log: Logger,
    observer: @escaping @Sendable (_ before: EventRule?, _ after: EventRule?) -> Void = { _, _ in }
  ) throws(Fault) {
    self.database = database
    self.door = door
    self.alarms = alarms
    self.log = log
    (started, starts) = AsyncStream.makeStream()
    outbox = try Outbox("eventbridge", database: database, alarms: alarms, log: log)
    let (live, tallies) = (RuleTable(), RuleTallies())
    (self.live, self.tallies) = (live, tallies)
    let keepers = ArchiveKeepers(
      lastNumber: try database.read { session throws(Fault) in try ArchiveTable.lastNumber(session) })
    self.keepers = keepers
    buses = try Catalogue(database: database)
    rules = try Catalogue(database: database) {
      live.heard($0, $1)
      if let before = $0, $1 == nil { tallies.forget(before.arn) }
      observer($0, $1)
    }
    archives = try Catalogue(database: database) { keepers.heard($0, $1) }
    replays = try Catalogue(database: database)
  }

  var world: MovableWorld { alarms.world }
  var now: Int64 { world.now().milliseconds }

  // MARK: - Life

  /// Delivers, replays and forgets until `stop`.
  package func run() async {
    forget()
    await withDiscardingTaskGroup { group in
      group.addTask { await self.outbox.run { await self.deliver($0) } }
      for replay in replays.all where !replay.state.isOver { group.addTask { await self.run(replay.key) } }
      for await key in started { group.addTask { await self.run(key) } }
    }
  }

  /// No delivery begins any more.
  package func pause() { outbox.pause() }

  package func stop() {
    stopping.store(true, ordering: .relaxed)
    starts.finish()
    outbox.stop()
  }

  // MARK: - Finding

  /// The bus as it is, or as the default one is before it was ever changed.
  func find(_ key: ResourceKey) -> EventBus? {
    buses.find(key) ?? (key.name == EventBridgeName.defaultBus ? EventBus(key: key, created: 0) : nil)
  }

  /// The same for the bodies of changes.
  func newest(_ key: ResourceKey) -> EventBus? {
    buses.newest(key) ?? (key.name == EventBridgeName.defaultBus ? EventBus(key: key, created: 0) : nil)
  }

  func bus(_ key: ResourceKey) throws(AWSError) -> EventBus {
    guard let bus = find(key) else { throw .eventsNoBus(key.name) }
    return bus
  }

  func rule(_ id: RuleKey) throws(AWSError) -> EventRule {
    _ = try bus(id.bus)
    guard let rule = rules.find(id.catalogue) else { throw .eventsNoRule(id.name, on: id.bus.name) }
    return rule
  }

  /// The rules of a bus, in the order of their names.
  func rules(of bus: ResourceKey) -> [EventRule] { rules.list(bus.place).filter { $0.id.bus == bus } }

  func archive(_ name: String, _ call: Call) throws(AWSError) -> EventArchive {
    guard let archive = archives.find(ResourceKey(place: call.place, name: name)) else { throw .eventsNoArchive(name) }
    return archive
  }

  // MARK: - Changing

  /// Changes a rule that is there.
  func change(
    _ id: RuleKey, _ body: @escaping @Sendable (inout EventRule) throws(AWSError) -> Void
  ) async throws(AWSError) {
    _ = try rule(id)
    try await rules.change(id.catalogue) { record throws(AWSError) in
      guard var rule = record else { throw .eventsNoRule(id.name, on: id.bus.name) }
      try body(&rule)
      record = rule
    }
  }

  /// Changes a bus; the default one comes to be by it.
  func change(
    _ key: ResourceKey, _ body: @escaping @Sendable (inout EventBus) throws(AWSError) -> Void
  ) async throws(AWSError) {
    try await buses.change(key) { record throws(AWSError) in
      guard var bus = self.newest(key) else { throw .eventsNoBus(key.name) }
      try body(&bus)
      bus.modified = self.now
      record = bus
    }
  }
}
