// Amazon EventBridge Scheduler, embedded: schedules that invoke targets at their times, on the clock of the world.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

/// The namespace of the operations.
package enum Scheduler {}

package final class SchedulerService: Sendable {
  package let schedules: Catalogue<Schedule>
  package let groups: Catalogue<ScheduleGroup>
  let zones: TimeZones
  let alarms: Alarms
  let door: Door
  let log: Logger
  /// What is on its way to targets.
  let outbox: Outbox
  /// What became of the last attempts of each schedule.
  let notes = Mutex<[ResourceKey: SchedulerNote]>([:])
  let clock: DueAlarms
  /// Tokens of requests that deleted something, so that they can be repeated.
  private let spent = Mutex<[String]>([])

  var world: MovableWorld { alarms.world }

  /// The database must have been migrated with `Documents` and `Outbox`.
  package init(
    database: Database, alarms: Alarms, door: Door, log: Logger, zones: TimeZones = TimeZones()
  ) throws(Fault) {
    self.alarms = alarms
    self.door = door
    self.log = log
    self.zones = zones
    outbox = try Outbox("scheduler", database: database, alarms: alarms, log: log)
    groups = try Catalogue(database: database)
    let clock = DueAlarms(alarms: alarms)
    self.clock = clock
    schedules = try Catalogue(database: database) { before, after in
      guard let key = after?.key ?? before?.key else { return }
      clock.set(key, at: after.flatMap { SchedulerService.next($0, zones, log) })
    }
  }

  /// Invokes targets until `stop` is called.
  package func run() async {
    async let deliveries: Void = outbox.run { await self.deliver($0) }
    await withDiscardingTaskGroup { group in
      for await key in clock.dues {
        group.addTask {
          await self.fire(key)
          self.alarms.end()
        }
      }
    }
    await deliveries
  }

  /// No attempt begins any more.
  package func pause() { outbox.pause() }

  package func stop() {
    clock.stop()
    outbox.stop()
  }

  /// When a schedule is due next.
  private static func next(_ schedule: Schedule, _ zones: TimeZones, _ log: Logger) -> Timestamp? {
    guard schedule.settings.isEnabled else { return nil }
    guard let timing = schedule.timing(zones) else {
      log.error(
        "a schedule waits, because the host does not know its time zone",
        metadata: ["schedule": "\(schedule.arn)", "zone": "\(schedule.settings.zone)"])
      return nil
    }
    return timing.next(after: schedule.cursor)?.due
  }

  // MARK: - What is there

  func group(_ key: ResourceKey) -> ScheduleGroup? {
    groups.find(key) ?? (key.name == Schedule.defaultGroup ? ScheduleGroup(key: key, created: nil) : nil)
  }

  /// The same as the writer sees it; for the bodies of changes.
  func newestGroup(_ place: Place, _ name: String) -> ScheduleGroup? {
    let key = ResourceKey(place: place, name: name)
    return groups.newest(key) ?? (name == Schedule.defaultGroup ? ScheduleGroup(key: key, created: nil) : nil)
  }

  func requireGroup(_ place: Place, _ name: String) throws(AWSError) -> ScheduleGroup {
    guard let group = group(ResourceKey(place: place, name: name)) else { throw .schedulerNoGroup(name) }
    return group
  }

  /// The group that an ARN names.
  func taggedGroup(_ text: String, _ call: Call) throws(AWSError) -> ResourceKey {
    guard let arn = ARN(text), let account = Account(arn.account), let region = Region(arn.region),
      let name = arn.resource.split(separator: "/").last.map(String.init)
    else { throw .schedulerInvalidTarget() }
    guard account == call.place.account else { throw .schedulerNoGroup(name) }
    return ResourceKey(place: Place(account: account, region: region), name: name)
  }

  // MARK: - Requests that come twice

  private static let tokensKept = 1000

  /// True if a request with this token deleted `what` already.
  func isSpent(_ token: String?, on what: ResourceKey) -> Bool {
    guard let token else { return false }
    return spent.withLock { $0.contains("\(what.place.account) \(what.place.region) \(what.name) \(token)") }
  }

  func spend(_ token: String?, on what: ResourceKey) {
    guard let token else { return }
    spent.withLock { spent in
      spent.append("\(what.place.account) \(what.place.region) \(what.name) \(token)")
      if spent.count > SchedulerService.tokensKept { spent.removeFirst() }
    }
  }

  /// A role that the account has must admit the Scheduler by its trust policy. One that the account does not have is
  /// taken as it is (docs/iam.md).
  func requireAssumable(_ role: String, _ call: Call) async throws(AWSError) {
    guard ARN(role)?.account == call.place.account.id, door.isOffered(IAM.GetRole.self),
      let name = role.split(separator: "/").last.map(String.init)
    else { return }
    let asScheduler = call.by(SchedulerService.principal)
    let found: IAM.GetRole.Output
    do throws(AWSError) {
      found = try await door.call(IAM.GetRole.self, .init(role: name), asScheduler)
    } catch {
      if error.code == "NoSuchEntity" { return }
      throw error
    }
    do throws(AWSError) {
      _ = try await door.call(STS.AssumeRole.self, .init(role: found.arn, session: "scheduler"), asScheduler)
    } catch {
      throw error.code == "AccessDenied" ? .schedulerRoleNotAssumable() : error
    }
  }

  static let principal = "scheduler.amazonaws.com"
}
