// A task that writes log events into a bucket.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ExportTask.html
import MartletCore
import MartletStore
import MartletWire

struct ExportTask: Document, Equatable {
  static let kind = "log-export-task"

  enum Status: String, Sendable, CaseIterable {
    case cancelled = "CANCELLED"
    case completed = "COMPLETED"
    case failed = "FAILED"
    case pending = "PENDING"
    case pendingCancel = "PENDING_CANCEL"
    case running = "RUNNING"

    /// Nothing comes of it any more.
    var isOver: Bool { self == .cancelled || self == .completed || self == .failed }
  }

  /// What the caller said.
  struct Order: Equatable, Sendable {
    var name: String?
    var group = ""
    /// Of the names of streams.
    var streams: String?
    /// Milliseconds since 1970, both ends included.
    var from: Int64 = 0
    var to: Int64 = 0
    var bucket = ""
    var prefix: String?
  }

  /// What is remembered of those that are over, in an account and region.
  static let most = 100

  /// The name is the task's id.
  let key: ResourceKey
  let order: Order
  let created: Int64
  var status = Status.pending
  var message: String?
  var ended: Int64?

  init(key: ResourceKey, _ order: Order, created: Int64) {
    self.key = key
    self.order = order
    self.created = created
  }

  mutating func end(_ status: Status, _ message: String? = nil, at now: Int64) {
    self.status = status
    self.message = message
    ended = now
  }

  /// Where a file of a stream goes.
  func objectKey(_ stream: String, _ number: Int) -> String {
    let name = stream.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "-")
    return "\(ExportTask.folder(order.prefix))/\(key.name)/\(name)/\(Logs.digits(UInt64(number), 6)).gz"
  }

  static func folder(_ prefix: String?) -> String { prefix.flatMap { $0.isEmpty ? nil : $0 } ?? "exportedlogs" }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else {
      throw Fault("read an export task", "\(key.name) is damaged")
    }
    func time(_ name: String) -> Int64? { json[name]?.integer.map { Int64($0) } }
    self.key = key
    order = Order(
      name: json["name"]?.string, group: json["group"]?.string ?? "", streams: json["streams"]?.string,
      from: time("from") ?? 0, to: time("to") ?? 0, bucket: json["bucket"]?.string ?? "",
      prefix: json["prefix"]?.string)
    created = time("created") ?? 0
    status = json["status"]?.string.flatMap { Status(rawValue: $0) } ?? .failed
    message = json["message"]?.string
    ended = time("ended")
  }

  var document: String {
    JSONValue.members(
      ("name", order.name.map { .string($0) }), ("group", .string(order.group)),
      ("streams", order.streams.map { .string($0) }), ("from", .integer(order.from)), ("to", .integer(order.to)),
      ("bucket", .string(order.bucket)), ("prefix", order.prefix.map { .string($0) }), ("created", .integer(created)),
      ("status", .string(status.rawValue)), ("message", message.map { .string($0) }),
      ("ended", ended.map { .integer($0) })
    ).text
  }

  func write(to w: inout MemberWriter) {
    w.member("taskId", key.name)
    w.member("taskName", order.name)
    w.member("logGroupName", order.group)
    w.member("from", Int(order.from))
    w.member("to", Int(order.to))
    w.member("destination", order.bucket)
    w.member("destinationPrefix", ExportTask.folder(order.prefix))
    w.object("status") { w in
      w.member("code", status.rawValue)
      w.member("message", message)
    }
    w.object("executionInfo") { w in
      w.member("creationTime", Int(created))
      w.member("completionTime", ended.map { Int($0) })
    }
  }
}
