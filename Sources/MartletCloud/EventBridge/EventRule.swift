// A rule as it is kept, with its targets.
import MartletCore
import MartletStore
import MartletWire

package struct EventRule: Document, Equatable {
  package static let kind = "event-rule"

  enum State: String, Sendable, CaseIterable {
    case enabled = "ENABLED"
    case disabled = "DISABLED"
    case enabledWithTrails = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
  }

  package let key: ResourceKey
  var pattern: String?
  package internal(set) var schedule: String?
  var state: State
  var description: String?
  var role: String?
  var managedBy: String?
  var tags: [EventBridgeTag]
  var targets: [RuleTarget]
  /// Milliseconds since 1970: when the schedule was set. `rate` counts from there.
  package internal(set) var scheduled: Int64

  var id: RuleKey { RuleKey(catalogue: key) }
  package var name: String { id.name }
  package var arn: String { id.arn }
  package var isEnabled: Bool { state != .disabled }

  init(_ id: RuleKey, tags: [EventBridgeTag], scheduled: Int64) {
    key = id.catalogue
    state = .enabled
    self.tags = tags
    targets = []
    self.scheduled = scheduled
  }

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document),
      let state = json["state"]?.string.flatMap({ State(rawValue: $0) })
    else { throw Fault("read a rule", "\(key.name) is damaged") }
    self.key = key
    self.state = state
    pattern = json["pattern"]?.string
    schedule = json["schedule"]?.string
    description = json["description"]?.string
    role = json["role"]?.string
    managedBy = json["managedBy"]?.string
    tags = EventBridgeTag.list(json["tags"])
    targets = (json["targets"]?.array ?? []).map { RuleTarget(json: $0) }
    scheduled = Int64(json["scheduled"]?.integer ?? 0)
  }

  package var document: String {
    JSONValue.members(
      ("state", .string(state.rawValue)), ("pattern", pattern.map { .string($0) }),
      ("schedule", schedule.map { .string($0) }), ("description", description.map { .string($0) }),
      ("role", role.map { .string($0) }), ("managedBy", managedBy.map { .string($0) }),
      ("tags", EventBridgeTag.json(tags)), ("targets", .array(targets.map(\.json))), ("scheduled", .integer(scheduled))
    ).text
  }

  func write(to w: inout MemberWriter) {
    w.member("Name", name)
    w.member("Arn", arn)
    w.member("EventPattern", pattern)
    w.member("ScheduleExpression", schedule)
    w.member("State", state.rawValue)
    w.member("Description", description)
    w.member("RoleArn", role)
    w.member("ManagedBy", managedBy)
    w.member("EventBusName", id.bus.name)
  }
}
