// What a caller says of a schedule, and the rules for it.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
import MartletCore
import MartletWire

struct ScheduleSettings: Sendable, Equatable {
  let expressionText: String
  let expression: ScheduleExpression
  /// The name of a time zone.
  let zone: String
  let start: Timestamp?
  let end: Timestamp?
  let description: String?
  let isEnabled: Bool
  /// Minutes; nil = no flexible window.
  let window: Int?
  let isDeletedAfterwards: Bool
  let encryptionKey: String?
  let target: ScheduleTarget

  var state: String { isEnabled ? "ENABLED" : "DISABLED" }

  init?(json: JSONValue?) {
    guard let json, let text = json["expression"]?.string, let expression = ScheduleExpression(ofSchedule: text),
      let target = ScheduleTarget(json: json["target"])
    else { return nil }
    expressionText = text
    self.expression = expression
    zone = json["zone"]?.string ?? "UTC"
    start = (json["start"]?.integer).map { Timestamp(nanoseconds: Int64($0)) }
    end = (json["end"]?.integer).map { Timestamp(nanoseconds: Int64($0)) }
    description = json["description"]?.string
    isEnabled = json["isEnabled"]?.bool ?? true
    window = json["window"]?.integer
    isDeletedAfterwards = json["isDeletedAfterwards"]?.bool ?? false
    encryptionKey = json["encryptionKey"]?.string
    self.target = target
  }

  var json: JSONValue {
    .members(
      ("expression", .string(expressionText)), ("zone", .string(zone)),
      ("start", start.map { .integer($0.nanoseconds) }), ("end", end.map { .integer($0.nanoseconds) }),
      ("description", description.map { .string($0) }), ("isEnabled", .bool(isEnabled)),
      ("window", window.map { .integer(Int64($0)) }), ("isDeletedAfterwards", .bool(isDeletedAfterwards)),
      ("encryptionKey", encryptionKey.map { .string($0) }), ("target", target.json))
  }
}

/// The settings as a request has them, which are checked against each other when the request is known to be valid.
struct ScheduleRequest: Sendable {
  let name: String
  let group: String
  let token: String?
  private let expression: String
  private let zone: String
  private let start: Double?
  private let end: Double?
  private let description: String?
  private let isEnabled: Bool
  private let isFlexible: Bool
  private let window: Int?
  private let isDeletedAfterwards: Bool
  private let encryptionKey: String?
  private let target: ScheduleTarget?

  static let keyPattern = Pattern(#"arn:aws[a-z-]*:kms:[a-z0-9\-]+:\d{12}:(key|alias)\/[0-9a-zA-Z-_]*"#)

  init(_ r: Reader) throws(AWSError) {
    name = r.scheduleName()
    let m = try r.body()
    group = m.string("GroupName", .length(1, 64), .pattern(SchedulerNames.pattern)) ?? Schedule.defaultGroup
    token = m.string("ClientToken", .length(1, 64), .pattern(SchedulerNames.tokenPattern))
    expression = m.required("ScheduleExpression", .length(1, 256))
    zone = m.string("ScheduleExpressionTimezone", .length(1, 50)) ?? "UTC"
    start = m.moment("StartDate")
    end = m.moment("EndDate")
    description = m.string("Description", .length(0, 512))
    isEnabled = m.string("State", .oneOf(["ENABLED", "DISABLED"])) != "DISABLED"
    encryptionKey = m.string("KmsKeyArn", .length(1, 2048), .pattern(ScheduleRequest.keyPattern))
    isDeletedAfterwards = m.string("ActionAfterCompletion", .oneOf(["NONE", "DELETE"])) == "DELETE"
    let flexible = m.requiredObject("FlexibleTimeWindow")
    isFlexible = flexible?.required("Mode", .oneOf(["OFF", "FLEXIBLE"])) == "FLEXIBLE"
    window = flexible?.integer("MaximumWindowInMinutes", in: 1...1440)
    target = ScheduleTarget(m)
  }

  private static let earliestStart = Duration.seconds(-300)
  /// The years to which 64 bits of nanoseconds reach.
  private static let dates = -9_000_000_000.0...9_000_000_000.0

  /// - Throws: a ValidationException in AWS's words.
  func settings(now: Timestamp, _ zones: TimeZones) throws(AWSError) -> ScheduleSettings {
    guard ScheduleExpression(ofSchedule: expression) != nil else { throw .schedulerInvalidExpression(expression) }
    guard zones.find(zone) != nil else { throw .schedulerInvalidZone(zone) }
    guard isFlexible == (window != nil) else { throw .schedulerInvalidWindow(isFlexible: isFlexible) }
    let (start, end) = (try date(start, "StartDate"), try date(end, "EndDate"))
    if !expression.hasPrefix("at(") {
      if let start, start < now + ScheduleRequest.earliestStart { throw .schedulerStartTooEarly() }
      if let start, let end, end <= start { throw .schedulerEndBeforeStart() }
      if let end, end < now { throw .schedulerEndInThePast() }
    }
    guard let target else { throw .schedulerInvalidTarget() }
    try target.check()
    let json = JSONValue.members(
      ("expression", .string(expression)), ("zone", .string(zone)),
      ("start", start.map { .integer($0.nanoseconds) }), ("end", end.map { .integer($0.nanoseconds) }),
      ("description", description.map { .string($0) }), ("isEnabled", .bool(isEnabled)),
      ("window", window.map { .integer(Int64($0)) }), ("isDeletedAfterwards", .bool(isDeletedAfterwards)),
      ("encryptionKey", encryptionKey.map { .string($0) }), ("target", target.json))
    guard let settings = ScheduleSettings(json: json) else {
      preconditionFailure("what was checked makes settings")
    }
    return settings
  }

  private func date(_ seconds: Double?, _ name: String) throws(AWSError) -> Timestamp? {
    guard let seconds else { return nil }
    guard ScheduleRequest.dates.contains(seconds) else { throw .schedulerInvalidDate(name) }
    return Timestamp(milliseconds: Int64(seconds * 1000))
  }
}
