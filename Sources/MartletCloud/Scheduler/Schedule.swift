// A schedule as it is kept: what was asked for, and how far it has come.
import MartletCore
import MartletStore
import MartletWire

package struct Schedule: Document, Equatable {
  package static let kind = "scheduler-schedule"
  static let defaultGroup = "default"

  /// `group/name`
  package let key: ResourceKey
  var settings: ScheduleSettings
  var created: Timestamp
  var modified: Timestamp
  /// Tells a schedule from another that bore its name before.
  var incarnation: UInt64
  /// What a rate is counted from.
  var anchor: Timestamp
  /// What was scheduled until then is on its way or over.
  var cursor: Timestamp
  /// Of the request that made it.
  var token: String?

  static func key(_ place: Place, group: String, name: String) -> ResourceKey {
    ResourceKey(place: place, name: "\(group)/\(name)")
  }

  init(key: ResourceKey, settings: ScheduleSettings, now: Timestamp, incarnation: UInt64, token: String?) {
    self.key = key
    self.settings = settings
    self.incarnation = incarnation
    self.token = token
    (created, modified, anchor, cursor) = (now, now, now, now)
    restart(now)
  }

  /// A rate without a start begins at once; what should have happened within the last minute happens too if it is to
  /// happen only once, because clocks differ.
  private mutating func restart(_ now: Timestamp) {
    anchor = settings.start ?? now
    cursor = now
    switch settings.expression {
    case .rate: cursor = Timestamp(nanoseconds: now.nanoseconds - 1)
    case .at: cursor = now + .seconds(-60)
    case .cron: break
    }
  }

  /// Other settings from now on. What was missed while it was disabled is not made up for.
  mutating func update(_ new: ScheduleSettings, now: Timestamp) {
    let isSame =
      new.expressionText == settings.expressionText && new.start == settings.start && new.zone == settings.zone
    settings = new
    modified = now
    if isSame { cursor = max(cursor, now) } else { restart(now) }
  }

  var group: String { String(key.name.prefix { $0 != "/" }) }
  var name: String { String(key.name.drop { $0 != "/" }.dropFirst()) }
  var arn: String { ARN(service: "scheduler", place: key.place, resource: "schedule/\(key.name)").description }

  /// nil if the host does not know the time zone any more.
  func timing(_ zones: TimeZones) -> ScheduleTiming? {
    zones.find(settings.zone).map { zone in
      ScheduleTiming(
        expression: settings.expression, zone: zone, anchor: anchor, start: settings.start, end: settings.end,
        window: settings.window ?? 0, seed: incarnation)
    }
  }

  // MARK: - On disk

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let settings = ScheduleSettings(json: json["settings"]),
      let created = json["created"]?.integer, let modified = json["modified"]?.integer,
      let incarnation = json["incarnation"]?.integer, let anchor = json["anchor"]?.integer,
      let cursor = json["cursor"]?.integer
    else { throw Fault("read a schedule", "\(key.name) is damaged") }
    self.key = key
    self.settings = settings
    self.created = Timestamp(nanoseconds: Int64(created))
    self.modified = Timestamp(nanoseconds: Int64(modified))
    self.incarnation = UInt64(bitPattern: Int64(incarnation))
    self.anchor = Timestamp(nanoseconds: Int64(anchor))
    self.cursor = Timestamp(nanoseconds: Int64(cursor))
    token = json["token"]?.string
  }

  package var document: String {
    JSONValue.members(
      ("settings", settings.json), ("created", .integer(created.nanoseconds)),
      ("modified", .integer(modified.nanoseconds)), ("incarnation", .integer(Int64(bitPattern: incarnation))),
      ("anchor", .integer(anchor.nanoseconds)), ("cursor", .integer(cursor.nanoseconds)),
      ("token", token.map { .string($0) })
    ).text
  }

  // MARK: - Answers

  func write(to w: inout MemberWriter) {
    w.member("Arn", arn)
    w.member("GroupName", group)
    w.member("Name", name)
    w.member("ScheduleExpression", settings.expressionText)
    w.moment("StartDate", settings.start)
    w.moment("EndDate", settings.end)
    w.member("Description", settings.description)
    w.member("ScheduleExpressionTimezone", settings.zone)
    w.member("State", settings.state)
    w.moment("CreationDate", created)
    w.moment("LastModificationDate", modified)
    w.member("KmsKeyArn", settings.encryptionKey)
    w.member("Target", settings.target.json)
    w.object("FlexibleTimeWindow") { w in
      w.member("Mode", settings.window == nil ? "OFF" : "FLEXIBLE")
      w.member("MaximumWindowInMinutes", settings.window)
    }
    w.member("ActionAfterCompletion", settings.isDeletedAfterwards ? "DELETE" : "NONE")
  }

  func writeSummary(to w: inout MemberWriter) {
    w.member("Arn", arn)
    w.member("Name", name)
    w.member("GroupName", group)
    w.member("State", settings.state)
    w.moment("CreationDate", created)
    w.moment("LastModificationDate", modified)
    w.object("Target") { $0.member("Arn", settings.target.arn) }
  }
}
