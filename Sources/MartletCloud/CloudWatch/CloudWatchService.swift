// Amazon CloudWatch, embedded: metrics and what is asked about them. Its operations are in CloudWatchOperations.swift.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/WhatIsCloudWatch.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class CloudWatchService: Sendable {
  let metrics: MetricStore
  let metricAlarms: Catalogue<MetricAlarm>
  let dashboards: Catalogue<Dashboard>
  /// What is owed to the targets of actions.
  let outbox: Outbox
  let watch: AlarmWatch
  let database: Database
  /// Has those who count tell what they have counted.
  let beforeLooking = Mutex<(@Sendable () async -> Void)?>(nil)
  let door: Door
  let alarms: Alarms
  let log: Logger
  /// Hears of values.
  let export: TelemetryExport?
  /// When what is old was put together last, in seconds since 1970.
  private let swept = Mutex<Int64>(0)

  /// Seconds between two sweeps.
  private static let sweepEvery: Int64 = 3600

  package static let migrations = MetricStore.migrations + AlarmHistory.migrations

  var world: MovableWorld { alarms.world }

  /// The database must have been migrated.
  package init(
    database: Database, door: Door, alarms: Alarms, log: Logger, export: TelemetryExport? = nil
  ) throws(Fault) {
    self.export = export
    self.door = door
    self.alarms = alarms
    self.log = log
    self.database = database
    let watch = AlarmWatch(alarms: alarms)
    self.watch = watch
    metrics = try MetricStore(database: database, alarms: alarms, log: log) { watch.heard($0) }
    metricAlarms = try Catalogue(database: database) { before, after in
      if let key = (after ?? before)?.key { watch.heard(after, key) }
    }
    dashboards = try Catalogue(database: database)
    outbox = try Outbox("cloudwatch", database: database, alarms: alarms, log: log)
  }

  /// To be called about once a second.
  package func tick() {
    let now = world.now().seconds
    let isDue = swept.withLock { last in
      guard now - last >= CloudWatchService.sweepEvery else { return false }
      last = now
      return true
    }
    guard isDue else { return }
    metrics.sweep()
    database.enqueue({ try AlarmHistory.sweep(now: now, $0) }, ended: { _ in })
  }

  /// Whom to ask for what was counted before an alarm is looked at.
  package func askBeforeLooking(_ body: @escaping @Sendable () async -> Void) { beforeLooking.withLock { $0 = body } }

  /// Looks at alarms and takes their actions, until `stop`.
  package func run() async {
    for alarm in metricAlarms.all { watch.schedule(alarm.key) }
    async let delivering: Void = outbox.run { await self.deliver($0) }
    await watch.run { await self.look(at: $0) }
    await delivering
  }

  /// Writes what is in memory only.
  package func stop() async {
    watch.stop()
    outbox.stop()
    await metrics.written()
  }

  /// Makes or changes an alarm. One that was there keeps its state and its tags.
  func put(
    _ name: String, _ settings: AlarmSettings, _ tags: [MetricAlarm.Tag], _ place: Place
  ) async throws(AWSError) {
    let key = ResourceKey(place: place, name: name)
    let now = world.now()
    let composite = settings.isComposite
    try await metricAlarms.change(
      key,
      { (record: inout MetricAlarm?) throws(AWSError) -> Bool in
        guard var alarm = record else {
          record = MetricAlarm(key: key, settings: settings, tags: tags, now: now)
          return true
        }
        alarm.settings = settings
        alarm.configured = now
        record = alarm
        return false
      },
      with: { isNew, session throws(Fault) in
        let item = AlarmHistoryItem(
          alarm: name, alarmType: composite ? "CompositeAlarm" : "MetricAlarm", time: now, type: "ConfigurationUpdate",
          summary: "Alarm \"\(name)\" \(isNew ? "created" : "updated")",
          data: JSONValue.members(("version", .string("1.0")), ("type", .string(isNew ? "Create" : "Update"))).text)
        try AlarmHistory.insert([item], place, session)
      })
    watch.look(at: key)
  }

  func enableActions(of names: [String], _ isEnabled: Bool, _ place: Place) async throws(AWSError) {
    for name in names where metricAlarms.find(ResourceKey(place: place, name: name)) != nil {
      try await metricAlarms.change(ResourceKey(place: place, name: name)) {
        (record: inout MetricAlarm?) throws(AWSError) -> Void in
        record?.settings.actionsEnabled = isEnabled
      }
    }
  }

  /// Metrics that are known.
  package var metricCount: Int { metrics.count }
}
