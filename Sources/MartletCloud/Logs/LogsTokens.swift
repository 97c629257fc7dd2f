// Tokens, identifiers and the rules of what is put in: the parts of operations that are pure.
import MartletCore
import MartletWire
import NIOCore

extension Logs {
  /// Days that events can be kept.
  static let retentions = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ]
  static let resourcePattern = Pattern(#"[\w+=/:,.@-]*"#)
  static let tagKeyPattern = Pattern(#"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$"#)
  static let tagValuePattern = Pattern(#"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"#)
  static let tagChoicePattern = Pattern(#"^!?\*?([\p{L}\p{Z}\p{N}_.:/=+\-@]*)\*?$"#)
  static let metricPattern = Pattern("[^:*$]*")
  static let metricUnits: [String] = {
    let sizes = ["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"]
    let bits = ["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"]
    return ["Seconds", "Microseconds", "Milliseconds"] + sizes + bits + ["Percent", "Count"]
      + (sizes + bits + ["Count"]).map { "\($0)/Second" } + ["None"]
  }()
  static let transformationMembers = [
    "metricName", "metricNamespace", "metricValue", "defaultValue", "dimensions", "unit",
  ]

  static func contains(_ text: String, _ part: String) -> Bool { part.isEmpty || text.firstRange(of: part) != nil }

  /// A text by which times and names sort.
  static func sortable(_ time: Int64, _ name: String) -> String { digits(UInt64(max(0, time)), 20) + name }

  static func digits(_ value: UInt64, _ width: Int) -> String {
    let text = String(value)
    return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
  }

  /// Clients hand it back; nothing depends on it since 2023.
  static func sequenceToken(_ stream: LogStream) -> String {
    "4964" + digits(UInt64(max(0, stream.created)), 20) + digits(UInt64(stream.id), 32)
  }

  /// 56 digits, by which events sort as they are found.
  static func eventID(_ event: FoundEvent) -> String { EventToken.digits(event.position) }

  /// The name in the ARN of a group.
  static func taggedGroup(_ text: String, _ place: Place) throws(AWSError) -> String {
    guard let arn = ARN(text), arn.service == "logs", arn.resource.hasPrefix("log-group:") else {
      throw .logsInvalid("Invalid resource ARN: \(text)")
    }
    return try GroupReference(identifier: text).name(in: place)
  }

  /// Leaves out what is too old or too new. The events are in order.
  static func sift(_ batch: LogBatch, now: Int64, horizon: Int64) -> (LogBatch, PutLogEvents.Rejected?) {
    let (oldest, newest) = (now - 14 * 86_400_000, now + 2 * 3_600_000)
    if batch.oldest >= max(oldest, horizon), batch.newest <= newest { return (batch, nil) }
    var (kept, rejected, index) = (LogBatch(), PutLogEvents.Rejected(), 0)
    batch.visit { time, text in
      if time < oldest {
        rejected.tooOld = index + 1
      } else if time < horizon {
        rejected.expired = index + 1
      } else if time > newest {
        rejected.tooNew = rejected.tooNew ?? index
      } else {
        kept.append(text, at: time)
      }
      index += 1
    }
    return (kept, rejected)
  }
}

/// A place between events, and the direction in which it is gone on.
struct EventToken: Equatable, Sendable {
  let isForward: Bool
  let position: LogPosition

  init(isForward: Bool, position: LogPosition) {
    self.isForward = isForward
    self.position = position
  }

  /// nil for what is no token.
  init?(_ text: String) {
    let parts = text.split(separator: "/")
    guard parts.count == 3, parts[0] == "f" || parts[0] == "b", parts[2] == "s",
      let position = EventToken.position(String(parts[1]))
    else { return nil }
    self.init(isForward: parts[0] == "f", position: position)
  }

  var text: String { "\(isForward ? "f" : "b")/\(EventToken.digits(position))/s" }

  static func digits(_ position: LogPosition) -> String {
    Logs.digits(UInt64(max(0, position.time)), 20) + Logs.digits(UInt64(position.segment), 18)
      + Logs.digits(UInt64(position.offset), 18)
  }

  /// What 56 digits mean.
  static func position(_ digits: String) -> LogPosition? {
    guard digits.utf8.count == 56, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let time = Int64(digits.prefix(20)), let segment = UInt32(digits.dropFirst(20).prefix(18)),
      let offset = UInt32(digits.suffix(18))
    else { return nil }
    return LogPosition(time: time, segment: segment, offset: offset)
  }
}

extension LogBatch {
  /// The events in order.
  func visit(_ body: (_ time: Int64, _ text: ByteBuffer) -> Void) {
    var rest = records
    while let time = rest.readInteger(endianness: .little, as: Int64.self),
      let length = rest.readInteger(endianness: .little, as: UInt32.self),
      let text = rest.readSlice(length: Int(length))
    {
      body(time, text)
    }
  }
}
