// An alarm as it is kept: what was said of it, and its state.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1

struct MetricAlarm: Document {
  static let kind = "cloudwatch-alarm"

  struct State: Sendable, Equatable {
    var value: AlarmValue
    var reason: String
    /// JSON.
    var data: String?
    /// When it was found to be so last, and since when it is.
    var updated: Timestamp
    var since: Timestamp
  }

  struct Tag: Sendable, Equatable {
    let key: String
    var value: String
  }

  let key: ResourceKey
  var settings: AlarmSettings
  var configured: Timestamp
  var state: State
  var tags: [Tag]

  var arn: String { MetricAlarm.arn(key) }
  static func arn(_ key: ResourceKey) -> String {
    ARN(service: "cloudwatch", place: key.place, resource: "alarm:\(key.name)").description
  }

  init(key: ResourceKey, settings: AlarmSettings, tags: [Tag], now: Timestamp) {
    self.key = key
    self.settings = settings
    self.tags = tags
    configured = now
    state = State(
      value: .insufficientData, reason: "Unchecked: Initial alarm creation", data: nil, updated: now, since: now)
  }

  // MARK: - On disk

  var document: String {
    var json = JSONWriter()
    MemberWriter.lend(&json) { w in
      w.object("settings") { settings.write(to: &$0) }
    }
    let written = (try? JSONValue(parsing: "{\(json.text)}"))?["settings"] ?? .null
    return JSONValue.members(
      ("settings", written), ("composite", .bool(settings.isComposite)),
      ("configured", .integer(configured.nanoseconds)), ("value", .string(state.value.rawValue)),
      ("reason", .string(state.reason)), ("data", state.data.map { .string($0) }),
      ("updated", .integer(state.updated.nanoseconds)), ("since", .integer(state.since.nanoseconds)),
      ("tags", .object(tags.map { .init($0.key, .string($0.value)) }))
    ).text
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let members = json["settings"]?.members,
      let value = json["value"]?.string.flatMap({ AlarmValue(rawValue: $0) }),
      let configured = json["configured"]?.integer, let updated = json["updated"]?.integer,
      let since = json["since"]?.integer
    else { throw Fault("read an alarm", "\(key.name) is damaged") }
    let reader = Reader(
      HTTPRequest(method: .POST, uri: "/", headers: [:], body: ByteBuffer()), binary: members)
    do throws(AWSError) {
      settings = AlarmSettings(try reader.body(), isComposite: json["composite"]?.bool == true)
      try reader.finish()
    } catch {
      throw Fault("read an alarm", "\(key.name) is damaged: \(error.message)")
    }
    self.key = key
    self.configured = Timestamp(nanoseconds: Int64(configured))
    state = State(
      value: value, reason: json["reason"]?.string ?? "", data: json["data"]?.string,
      updated: Timestamp(nanoseconds: Int64(updated)), since: Timestamp(nanoseconds: Int64(since)))
    tags = (json["tags"]?.members ?? []).map { Tag(key: $0.name, value: $0.value.string ?? "") }
  }

  // MARK: - On the wire

  func write(to w: inout MemberWriter) {
    w.member("AlarmName", key.name)
    w.member("AlarmArn", arn)
    w.moment("AlarmConfigurationUpdatedTimestamp", configured)
    w.member("StateValue", state.value.rawValue)
    w.member("StateReason", state.reason)
    w.member("StateReasonData", state.data)
    w.moment("StateUpdatedTimestamp", state.updated)
    w.moment("StateTransitionedTimestamp", state.since)
    settings.write(to: &w)
  }

  /// The type of it in requests and in its history.
  var type: String { settings.isComposite ? "CompositeAlarm" : "MetricAlarm" }
}
