// The streams of a group, and the file in which they are written down: one line for each that was made or deleted.
import MartletCore
import MartletWire

/// One stream, as its group knows it.
struct LogStream: Equatable, Sendable {
  /// Never given to another.
  let id: UInt32
  let name: String
  /// Milliseconds since 1970.
  let created: Int64
}

struct LogStreamTable: Sendable {
  private(set) var byName: [String: LogStream] = [:]
  private(set) var byID: [UInt32: LogStream] = [:]
  private var last: UInt32 = 0

  init() {}

  /// What a file says; lines that are not whole, which a crash may have left at its end, are passed over.
  init(lines: String) {
    for line in lines.split(separator: "\n") {
      guard let json = try? JSONValue(parsing: String(line)),
        let id = json["id"]?.integer.flatMap({ UInt32(exactly: $0) })
      else { continue }
      if let name = json["name"]?.string {
        add(LogStream(id: id, name: name, created: Int64(json["created"]?.integer ?? 0)))
      } else if let stream = byID[id] {
        remove(stream)
      }
    }
  }

  private mutating func add(_ stream: LogStream) {
    byName[stream.name] = stream
    byID[stream.id] = stream
    last = max(last, stream.id)
  }

  private mutating func remove(_ stream: LogStream) {
    byName[stream.name] = nil
    byID[stream.id] = nil
  }

  /// A new stream, and the line that says so.
  mutating func make(_ name: String, at now: Int64) -> (stream: LogStream, line: String) {
    let stream = LogStream(id: last + 1, name: name, created: now)
    add(stream)
    let line = JSONValue.members(
      ("id", .integer(Int64(stream.id))), ("name", .string(name)), ("created", .integer(now)))
    // The line end in front keeps a line apart from the torn rest of another.
    return (stream, "\n\(line.text)\n")
  }

  /// The line that says that it is gone; nil if there is none of that name.
  mutating func delete(_ name: String) -> (stream: LogStream, line: String)? {
    guard let stream = byName[name] else { return nil }
    remove(stream)
    return (stream, "\n\(JSONValue.members(("id", .integer(Int64(stream.id)))).text)\n")
  }
}
