// An archive as it is kept: which events of a bus it keeps, and for how long. The events lie in a table of their own.
import MartletCore
import MartletStore
import MartletWire
import Synchronization

struct EventArchive: Document, Equatable {
  static let kind = "event-archive"

  let key: ResourceKey
  /// Under which its events lie in the table.
  let store: Int64
  /// The bus's ARN, as it was given.
  let source: String
  /// Milliseconds since 1970.
  let created: Int64
  var description: String?
  var pattern: String?
  /// 0 = for ever.
  var retentionDays: Int
  var encryptionKey: String?

  init(key: ResourceKey, store: Int64, source: String, created: Int64) {
    self.key = key
    self.store = store
    self.source = source
    self.created = created
    retentionDays = 0
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let store = json["store"]?.integer,
      let source = json["source"]?.string
    else { throw Fault("read an archive", "\(key.name) is damaged") }
    self.init(key: key, store: Int64(store), source: source, created: Int64(json["created"]?.integer ?? 0))
    description = json["description"]?.string
    pattern = json["pattern"]?.string
    retentionDays = json["retentionDays"]?.integer ?? 0
    encryptionKey = json["encryptionKey"]?.string
  }

  var document: String {
    JSONValue.members(
      ("store", .integer(store)), ("source", .string(source)), ("created", .integer(created)),
      ("description", description.map { .string($0) }), ("pattern", pattern.map { .string($0) }),
      ("retentionDays", .integer(Int64(retentionDays))), ("encryptionKey", encryptionKey.map { .string($0) })
    ).text
  }

  var arn: String { ARN(service: "events", place: key.place, resource: "archive/\(key.name)").description }

  /// The bus whose events it keeps.
  var bus: ResourceKey {
    let arn = ARN(source)
    let place = Place(
      account: arn.flatMap { Account($0.account) } ?? key.place.account,
      region: arn.flatMap { Region($0.region) } ?? key.place.region)
    return ResourceKey(place: place, name: BusReference(source).name)
  }

  /// What was put at this moment (milliseconds since 1970) or before is forgotten.
  func horizon(at now: Timestamp) -> Int64 {
    retentionDays == 0 ? .min : now.milliseconds - Int64(keptDays) * EventArchive.day
  }

  /// What is kept for centuries is kept for ever.
  var keptDays: Int { min(retentionDays, 50_000) }

  static let day: Int64 = 86_400_000

  func writeSummary(to w: inout MemberWriter, _ size: ArchiveTable.Size) {
    w.member("ArchiveName", key.name)
    w.member("EventSourceArn", source)
    w.member("State", EventArchive.state)
    w.member("RetentionDays", retentionDays)
    w.member("SizeBytes", size.bytes)
    w.member("EventCount", size.events)
    w.moment("CreationTime", Timestamp(milliseconds: created))
  }

  /// Archives are there at once, and change at once.
  static let state = "ENABLED"
}

/// The archives as events meet them, which follow the catalogue.
final class ArchiveKeepers: Sendable {
  private struct Keeper: Sendable {
    let archive: EventArchive
    let pattern: EventPattern?
  }

  private struct State {
    var keepers: [ResourceKey: [ResourceKey: Keeper]] = [:]
    /// When the next events are to be forgotten, and the alarm for it.
    var alarm: (alarm: Alarms.Alarm, due: Timestamp)?
    var lastNumber: Int64
  }

  private let state: Mutex<State>

  /// - Parameter lastNumber: of the newest event of all archives.
  init(lastNumber: Int64) { state = Mutex(State(lastNumber: lastNumber)) }

  func heard(_ before: EventArchive?, _ after: EventArchive?) {
    guard let archive = after ?? before else { return }
    let keeper = after.map { Keeper(archive: $0, pattern: $0.pattern.flatMap { try? EventPattern($0, .rules) }) }
    state.withLock { $0.keepers[archive.bus, default: [:]][archive.key] = keeper }
  }

  /// What archives keep of an event.
  func rows(for event: BusEvent, on bus: ResourceKey, at now: Timestamp) -> [ArchiveTable.Row] {
    state.withLock { state in
      (state.keepers[bus] ?? [:]).values.filter { $0.pattern?.matches(event.json) ?? true }.map { keeper in
        state.lastNumber += 1
        return ArchiveTable.Row(
          number: state.lastNumber, store: keeper.archive.store, time: event.time.milliseconds, put: now.milliseconds,
          retentionDays: keeper.archive.keptDays, event: event.text)
      }
    }
  }

  /// Sets the alarm for the next time that events are to be forgotten; an earlier one stays.
  func arm(_ alarms: Alarms, at due: Timestamp, _ body: @escaping @Sendable () -> Void) {
    state.withLock { state in
      if let alarm = state.alarm, alarm.due <= due { return }
      if let alarm = state.alarm { alarms.cancel(alarm.alarm) }
      let alarm = alarms.set(at: due) {
        self.state.withLock { $0.alarm = nil }
        body()
      }
      state.alarm = (alarm, due)
    }
  }
}
