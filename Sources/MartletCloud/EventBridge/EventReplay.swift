// A replay as it is kept: it brings events of an archive back to the bus that they came from.
import MartletCore
import MartletStore
import MartletWire

struct EventReplay: Document, Equatable {
  static let kind = "event-replay"

  enum State: String, Sendable, CaseIterable {
    case starting = "STARTING"
    case running = "RUNNING"
    case cancelling = "CANCELLING"
    case completed = "COMPLETED"
    case cancelled = "CANCELLED"
    case failed = "FAILED"

    var isOver: Bool { self == .completed || self == .cancelled || self == .failed }
  }

  let key: ResourceKey
  /// The archive's ARN.
  let source: String
  /// Milliseconds since 1970, this and all other times.
  let from: Int64
  let to: Int64
  /// The bus's ARN.
  let destination: String
  /// ARNs of the rules that get the events; nil = all.
  let rules: [String]?
  let started: Int64
  var description: String?
  var state = State.starting
  var reason: String?
  var ended: Int64?
  /// The last event that was replayed: when it happened, and its number in the archive.
  var lastTime: Int64?
  var lastNumber: Int64 = 0

  init(
    key: ResourceKey, source: String, from: Int64, to: Int64, destination: String, rules: [String]?, started: Int64
  ) {
    self.key = key
    self.source = source
    self.from = from
    self.to = to
    self.destination = destination
    self.rules = rules
    self.started = started
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let source = json["source"]?.string,
      let destination = json["destination"]?.string,
      let state = json["state"]?.string.flatMap({ State(rawValue: $0) })
    else { throw Fault("read a replay", "\(key.name) is damaged") }
    self.init(
      key: key, source: source, from: Int64(json["from"]?.integer ?? 0), to: Int64(json["to"]?.integer ?? 0),
      destination: destination, rules: json["rules"]?.array.map { $0.compactMap(\.string) },
      started: Int64(json["started"]?.integer ?? 0))
    self.state = state
    description = json["description"]?.string
    reason = json["reason"]?.string
    ended = json["ended"]?.integer.map { Int64($0) }
    lastTime = json["lastTime"]?.integer.map { Int64($0) }
    lastNumber = Int64(json["lastNumber"]?.integer ?? 0)
  }

  var document: String {
    JSONValue.members(
      ("source", .string(source)), ("from", .integer(from)), ("to", .integer(to)),
      ("destination", .string(destination)), ("rules", rules.map { .array($0.map { .string($0) }) }),
      ("started", .integer(started)), ("state", .string(state.rawValue)),
      ("description", description.map { .string($0) }), ("reason", reason.map { .string($0) }),
      ("ended", ended.map { .integer($0) }), ("lastTime", lastTime.map { .integer($0) }),
      ("lastNumber", .integer(lastNumber))
    ).text
  }

  var arn: String { ARN(service: "events", place: key.place, resource: "replay/\(key.name)").description }

  /// The members that DescribeReplay and ListReplays both show.
  func writeSummary(to w: inout MemberWriter) {
    w.member("ReplayName", key.name)
    w.member("EventSourceArn", source)
    w.member("State", state.rawValue)
    w.member("StateReason", reason)
    w.moment("EventStartTime", Timestamp(milliseconds: from))
    w.moment("EventEndTime", Timestamp(milliseconds: to))
    w.moment("EventLastReplayedTime", lastTime.map { Timestamp(milliseconds: $0) })
    w.moment("ReplayStartTime", Timestamp(milliseconds: started))
    w.moment("ReplayEndTime", ended.map { Timestamp(milliseconds: $0) })
  }

  /// The answer of StartReplay and CancelReplay.
  struct Change: Writable, Sendable {
    let replay: EventReplay
    var isStart = false

    func write(to w: inout Writer) {
      w.body { w in
        w.member("ReplayArn", replay.arn)
        w.member("State", replay.state.rawValue)
        w.member("StateReason", replay.reason)
        if isStart { w.moment("ReplayStartTime", Timestamp(milliseconds: replay.started)) }
      }
    }
  }
}
