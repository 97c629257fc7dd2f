// One occurrence of a schedule on its way to the target: all that is needed to deliver it, whatever happens meanwhile.
import MartletCore
import MartletWire

struct Firing: Sendable, Equatable {
  /// Of the schedule.
  let key: ResourceKey
  let incarnation: UInt64
  /// When the schedule was changed last, before it fired.
  let modified: Timestamp
  let scheduled: Timestamp
  /// When it was to happen: in a flexible window, that is later.
  let due: Timestamp
  /// 16 hexadecimal digits.
  let execution: String
  /// The schedule has no further occurrence, and is deleted when this one is over.
  let isFarewell: Bool
  let target: ScheduleTarget

  var arn: String { ARN(service: "scheduler", place: key.place, resource: "schedule/\(key.name)").description }

  var body: [UInt8] {
    let json = JSONValue.members(
      ("account", .string(key.place.account.id)), ("region", .string(key.place.region.name)),
      ("name", .string(key.name)), ("incarnation", .integer(Int64(bitPattern: incarnation))),
      ("modified", .integer(modified.nanoseconds)), ("scheduled", .integer(scheduled.nanoseconds)),
      ("due", .integer(due.nanoseconds)),
      ("execution", .string(execution)), ("isFarewell", .bool(isFarewell)), ("target", target.json))
    return Array(json.text.utf8)
  }

  init(_ schedule: Schedule, _ occurrence: ScheduleTiming.Occurrence, execution: String, isLast: Bool) {
    key = schedule.key
    incarnation = schedule.incarnation
    modified = schedule.modified
    scheduled = occurrence.scheduled
    due = occurrence.due
    self.execution = execution
    isFarewell = isLast && schedule.settings.isDeletedAfterwards
    target = schedule.settings.target
  }

  init?(body: [UInt8]) {
    guard let json = try? JSONValue(parsing: String(decoding: body, as: UTF8.self)),
      let account = json["account"]?.string.flatMap({ Account($0) }),
      let region = json["region"]?.string.flatMap({ Region($0) }), let name = json["name"]?.string,
      let incarnation = json["incarnation"]?.integer, let modified = json["modified"]?.integer,
      let scheduled = json["scheduled"]?.integer,
      let due = json["due"]?.integer, let execution = json["execution"]?.string,
      let target = ScheduleTarget(json: json["target"])
    else { return nil }
    key = ResourceKey(place: Place(account: account, region: region), name: name)
    self.incarnation = UInt64(bitPattern: Int64(incarnation))
    self.modified = Timestamp(nanoseconds: Int64(modified))
    self.scheduled = Timestamp(nanoseconds: Int64(scheduled))
    self.due = Timestamp(nanoseconds: Int64(due))
    self.execution = execution
    isFarewell = json["isFarewell"]?.bool ?? false
    self.target = target
  }

  // MARK: - What the target gets

  /// The input with its context attributes filled in, or what AWS sends if there is none.
  /// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
  func payload(attempt: Int) -> String {
    guard let input = target.input else { return notification }
    guard input.contains("<aws.scheduler.") else { return input }
    return input.replacing("<aws.scheduler.schedule-arn>", with: arn)
      .replacing("<aws.scheduler.scheduled-time>", with: scheduled.iso8601Seconds)
      .replacing("<aws.scheduler.execution-id>", with: execution)
      .replacing("<aws.scheduler.attempt-number>", with: String(attempt))
  }

  /// An event whose id is made of the execution's, so that it stays the same over all attempts.
  private var notification: String {
    let digits = Array((execution + String(execution.reversed())).utf8)
    var id = ""
    for (i, digit) in digits.prefix(32).enumerated() {
      if [8, 12, 16, 20].contains(i) { id += "-" }
      id.unicodeScalars.append(Unicode.Scalar(i == 12 ? UInt8(ascii: "4") : i == 16 ? UInt8(ascii: "a") : digit))
    }
    return JSONValue.members(
      ("version", .string("0")), ("id", .string(id)), ("detail-type", .string("Scheduled Event")),
      ("source", .string("aws.scheduler")), ("account", .string(key.place.account.id)),
      ("time", .string(scheduled.iso8601Seconds)), ("region", .string(key.place.region.name)),
      ("resources", .array([.string(arn)])), ("detail", .string("{}"))
    ).text
  }

  // MARK: - Dead letters

  /// Bytes of a dead letter, with its attributes.
  static let largestLetter = 262_144

  /// What is said of a failure in the attributes of the dead letter.
  /// https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
  func deadLetter(_ error: AWSError, attempts: Int, condition: Exhaustion?) -> SQS.Outgoing {
    var values = [
      ("ERROR_CODE", error.code), ("ERROR_MESSAGE", error.message), ("EXECUTION_ID", execution),
      ("RETRY_ATTEMPTS", String(max(0, attempts - 1))), ("SCHEDULED_TIME", scheduled.iso8601Seconds),
      ("SCHEDULE_ARN", arn), ("TARGET_ARN", target.arn),
    ]
    if let condition { values.append(("EXHAUSTED_RETRY_CONDITION", condition.rawValue)) }
    var body = payload(attempt: max(1, attempts))
    let room = Firing.largestLetter - values.reduce(200) { $0 + $1.0.utf8.count + $1.1.utf8.count + 6 }
    let isTooLong = body.utf8.count > room
    if isTooLong { body = String(decoding: Array(body.utf8.prefix(room - 3)), as: UTF8.self) }
    values.append(("IS_PAYLOAD_TRUNCATED", isTooLong ? "true" : "false"))
    var letter = SQS.Outgoing(body: body)
    // Attributes cannot be empty.
    letter.attributes = values.map { SQS.Attribute(name: $0.0, type: "String", string: $0.1.isEmpty ? "-" : $0.1) }
    if target.deadLetters?.hasSuffix(".fifo") == true { letter.groupID = execution }
    return letter
  }

  /// Why a firing is not tried again though it might be.
  enum Exhaustion: String, Sendable {
    case attempts = "MaximumRetryAttempts"
    case age = "MaximumEventAgeInSeconds"
  }

  enum Decision: Sendable, Equatable {
    case retry(after: Duration)
    case giveUp(Exhaustion?)
  }

  /// True if it must not be tried any more.
  func isTooOld(_ now: Timestamp) -> Bool { now - due > .seconds(target.maximumAge) }

  /// What to do after a failure.
  /// - Parameters:
  ///   - attempts: with the one that failed.
  ///   - age: since the firing was due.
  func failed(_ error: AWSError, attempts: Int, age: Duration) -> Decision {
    if age > .seconds(target.maximumAge) { return .giveUp(.age) }
    if target.maximumRetries == 0 { return .giveUp(.attempts) }
    guard Firing.isTemporary(error) else { return .giveUp(nil) }
    guard attempts <= target.maximumRetries else { return .giveUp(.attempts) }
    let delay = Firing.backOff(attempts)
    guard age + delay <= .seconds(target.maximumAge) else { return .giveUp(.age) }
    return .retry(after: delay)
  }

  /// What is not built (501) does not get built by waiting.
  static func isTemporary(_ error: AWSError) -> Bool {
    error.status == 429 || error.status >= 500 && error.status != 501 || error.code.contains("Throttl")
      || error.code.contains("TooManyRequests")
  }

  /// 1 second, doubling up to 8 minutes: 185 attempts in a day.
  static func backOff(_ attempts: Int) -> Duration { .seconds(min(480, 1 << min(max(0, attempts - 1), 9))) }
}
