// A message move task: it takes what a dead-letter queue holds back to where it came from, or elsewhere.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

struct MoveTask: Document {
  static let kind = "sqs-move-task"

  enum Status: String, Sendable {
    case running = "RUNNING"
    case completed = "COMPLETED"
    case cancelling = "CANCELLING"
    case cancelled = "CANCELLED"
    case failed = "FAILED"

    var isOver: Bool { self != .running && self != .cancelling }
  }

  /// Its name is the task's id.
  let key: ResourceKey
  let source: String
  /// nil = each message goes back to the queue that gave it up.
  let destination: String?
  /// Messages in a second; nil = as fast as it goes.
  let rate: Int?
  /// Milliseconds since 1970.
  let started: Int64
  let toMove: Int
  var moved = 0
  var status = Status.running
  var failure: String?

  init(key: ResourceKey, source: String, destination: String?, rate: Int?, started: Int64, toMove: Int) {
    self.key = key
    self.source = source
    self.destination = destination
    self.rate = rate
    self.started = started
    self.toMove = toMove
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let source = json["source"]?.string,
      let status = json["status"]?.string.flatMap({ Status(rawValue: $0) })
    else { throw Fault("read a message move task", "\(key.name) is damaged") }
    self.init(
      key: key, source: source, destination: json["destination"]?.string, rate: json["rate"]?.integer,
      started: Int64(json["started"]?.integer ?? 0), toMove: json["toMove"]?.integer ?? 0)
    moved = json["moved"]?.integer ?? 0
    self.status = status
    failure = json["failure"]?.string
  }

  var document: String {
    JSONValue.members(
      ("source", .string(source)), ("destination", destination.map { .string($0) }),
      ("rate", rate.map { .integer(Int64($0)) }), ("started", .integer(started)), ("toMove", .integer(Int64(toMove))),
      ("moved", .integer(Int64(moved))), ("status", .string(status.rawValue)), ("failure", failure.map { .string($0) })
    ).text
  }

  // MARK: - Its handle

  var handle: String {
    Base64.encode(
      Array(JSONValue.members(("taskId", .string(key.name)), ("sourceArn", .string(source))).text.utf8))
  }

  /// The id in a handle; nil if it is none.
  static func id(handle: String) -> String? {
    guard let bytes = Base64.decode(handle), let json = try? JSONValue(parsing: bytes) else { return nil }
    return json["taskId"]?.string
  }

  func write(to w: inout MemberWriter) {
    if status == .running { w.member("TaskHandle", handle) }
    w.member("Status", status.rawValue)
    w.member("SourceArn", source)
    w.member("DestinationArn", destination)
    w.member("MaxNumberOfMessagesPerSecond", rate)
    w.member("ApproximateNumberOfMessagesMoved", moved)
    w.member("ApproximateNumberOfMessagesToMove", toMove)
    w.member("FailureReason", failure)
    w.member("StartedTimestamp", Int(started))
  }
}

extension AWSError {
  static func sqsNoTask() -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "Task does not exist.")
  }
}
