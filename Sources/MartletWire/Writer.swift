// Writes an operation's output into a reply, whatever the protocol; today REST-JSON.
import MartletCore
import NIOCore

package struct Writer {
  package var status: Int
  private var headers: [(name: String, value: String)] = []
  private var json = JSONWriter()
  private var raw: ByteBuffer?
  private var file: HTTPReply.FileBody?
  private var hasMembers = false

  package init(status: Int) { self.status = status }

  /// A member that travels as a header.
  package mutating func header(_ name: String, _ value: String?) {
    if let value { headers.append((name, value)) }
  }

  /// A member that is the body itself.
  package mutating func payload(_ buffer: ByteBuffer) { raw = buffer }

  /// A member that is the body itself, too large for memory.
  package mutating func payload(_ file: OpenFile, range: Range<Int>) {
    self.file = HTTPReply.FileBody(file: file, range: range)
  }

  /// The members of the body.
  package mutating func body(_ write: (inout MemberWriter) -> Void) {
    hasMembers = true
    json.object { json in
      MemberWriter.lend(&json, to: write)
    }
  }

  package func reply() -> HTTPReply {
    var reply = HTTPReply(status: status, headers: headers)
    if let file {
      reply.file = file
    } else if let raw {
      reply.body = raw
    } else if hasMembers {
      reply.body = json.buffer
    }
    if reply.header("Content-Type") == nil { reply.headers.append(("Content-Type", "application/json")) }
    return reply
  }
}

/// Writes members of one object; nil is left out, as AWS does.
package struct MemberWriter {
  fileprivate(set) var json: JSONWriter

  /// Moves the writer in and out again, so that its buffer has one owner at a time and is never copied.
  package static func lend(_ json: inout JSONWriter, to write: (inout MemberWriter) -> Void) {
    var writer = MemberWriter(json: JSONWriter())
    swap(&writer.json, &json)
    write(&writer)
    swap(&writer.json, &json)
  }

  package mutating func member(_ name: String, _ value: String?) {
    guard let value else { return }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: Int?) {
    guard let value else { return }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: Bool?) {
    guard let value else { return }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: Double?) {
    guard let value else { return }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: [String]?) {
    guard let value else { return }
    json.name(name)
    json.array(value) { $0.value($1) }
  }

  package mutating func member(_ name: String, _ value: [(key: String, value: String)]?) {
    guard let value else { return }
    json.name(name)
    json.object { json in
      for pair in value {
        json.name(pair.key)
        json.value(pair.value)
      }
    }
  }

  package mutating func member(_ name: String, _ value: JSONValue?) {
    guard let value else { return }
    json.name(name)
    json.value(value)
  }

  /// A structure.
  package mutating func object(_ name: String, _ write: (inout MemberWriter) -> Void) {
    json.name(name)
    json.object { json in
      MemberWriter.lend(&json, to: write)
    }
  }

  /// A list of structures.
  package mutating func list<T>(_ name: String, _ elements: [T], _ write: (inout MemberWriter, T) -> Void) {
    json.name(name)
    json.array(elements) { json, element in
      json.object { json in
        MemberWriter.lend(&json) { write(&$0, element) }
      }
    }
  }
}
