// One event for subscribers, and its form in each schema.
import MartletCore
import MartletWire
import NIOCore

struct TelemetryEvent {
  enum Payload {
    case platform(PlatformRecord)
    /// A line that somebody printed.
    case text(ByteBuffer)
    /// A line that is a JSON object.
    case object(ByteBuffer)
  }

  let time: Timestamp
  let category: TelemetrySubscription.Category
  let payload: Payload

  /// About as many bytes as it takes to keep it.
  var size: Int {
    switch payload {
    case .platform: 1_024
    case .text(let line), .object(let line): line.readableBytes + 128
    }
  }

  /// The bytes for a subscriber; nil if its schema has no such event.
  func encoded(for subscription: TelemetrySubscription) -> ByteBuffer? {
    guard subscription.categories.contains(category) else { return nil }
    var json = JSONWriter()
    var type = category.rawValue
    switch payload {
    case .platform(let record):
      guard let value = record.value(for: subscription) else { return nil }
      type = record.type
      json.value(value)
    case .text(let line): json.value(TelemetryEvent.text(line))
    case .object: break
    }
    var event = ByteBuffer()
    event.writeStaticString(#"{"time":""#)
    event.writeString(time.iso8601)
    event.writeStaticString(#"","type":""#)
    event.writeString(type)
    event.writeStaticString(#"","record":"#)
    if case .object(let line) = payload {
      event.writeImmutableBuffer(line)
    } else {
      event.writeImmutableBuffer(json.buffer)
    }
    event.writeStaticString("}")
    return event
  }

  /// Runtimes write the lines of one message with carriage returns between them.
  private static func text(_ line: ByteBuffer) -> String {
    let view = line.readableBytesView
    guard view.contains(13) else { return String(buffer: line) }
    let bytes = view.last == 13 ? view.dropLast() : view[...]
    return String(decoding: bytes.map { $0 == 13 ? 10 : $0 }, as: UTF8.self)
  }
}

extension PlatformRecord {
  /// The record as a subscriber's schema has it; nil if it has none.
  fileprivate func value(for subscription: TelemetrySubscription) -> JSONValue? {
    guard subscription.api == .logs else { return type == "platform.end" || type == "platform.fault" ? nil : record }
    switch type {
    case "platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.telemetrySubscription":
      return nil
    case "platform.runtimeDone":
      guard subscription.schema != "2020-08-15" else { return nil }
      return .members(("requestId", record["requestId"]), ("status", record["status"]))
    case "platform.fault": return record["message"]
    case "platform.start": return .members(("requestId", record["requestId"]), ("version", record["version"]))
    case "platform.report": return .members(("requestId", record["requestId"]), ("metrics", record["metrics"]))
    default: return record
    }
  }
}
