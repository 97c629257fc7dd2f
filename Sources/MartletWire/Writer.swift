// Writes an operation's output into a reply, whatever the protocol: JSON, CBOR, or the XML of the query protocol.
import MartletCore
import NIOCore

package struct Writer {
  package var status: Int
  private var headers: [(name: String, value: String)] = []
  private var members: MemberWriter
  private var raw: ByteBuffer?
  private var file: HTTPReply.FileBody?
  private var stream: (any HTTPBodySource)?
  private var hasMembers = false
  /// False for an answer whose lack of a body is no JSON either.
  package var isTyped = true

  /// The XML element around the members; nil = they are JSON.
  private let element: String?

  /// - Parameters:
  ///   - isBinary: the members are CBOR.
  ///   - names: how lists and maps are written in XML, where the service flattens them.
  package init(status: Int, element: String? = nil, isBinary: Bool = false, names: QueryNames? = nil) {
    self.status = status
    self.element = element
    headers.reserveCapacity(8)
    members = MemberWriter(isXML: element != nil, isBinary: isBinary, names: names)
  }

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

  /// A member that is the body itself and comes as it goes.
  package mutating func payload(_ stream: any HTTPBodySource) { self.stream = stream }

  /// The members of the body.
  package mutating func body(_ write: (inout MemberWriter) -> Void) {
    hasMembers = true
    members.structure(write)
  }

  package func reply() -> HTTPReply {
    var reply = HTTPReply(status: status, headers: headers)
    if let file {
      reply.file = file
    } else if let stream {
      reply.stream = stream
    } else if let raw {
      reply.body = raw
    } else if hasMembers {
      if let element {
        var xml = XMLWriter()
        xml.element(element) { $0.append(members.xml.buffer) }
        reply.body = xml.buffer
      } else {
        reply.body = members.json.buffer
      }
    }
    if isTyped, reply.header("Content-Type") == nil { reply.headers.append(("Content-Type", "application/json")) }
    return reply
  }
}

/// Writes members of one structure; nil is left out, as AWS does.
package struct MemberWriter {
  fileprivate(set) var json: JSONWriter
  fileprivate(set) var xml = XMLWriter()
  fileprivate let isXML: Bool
  fileprivate let names: QueryNames?

  fileprivate init(isXML: Bool, isBinary: Bool = false, names: QueryNames? = nil) {
    json = JSONWriter(isBinary: isBinary)
    self.isXML = isXML
    self.names = names
  }

  /// Moves the writer in and out again, so that its buffer has one owner at a time and is never copied.
  package static func lend(_ json: inout JSONWriter, to write: (inout MemberWriter) -> Void) {
    var writer = MemberWriter(isXML: false)
    swap(&writer.json, &json)
    write(&writer)
    swap(&writer.json, &json)
  }

  fileprivate mutating func structure(_ write: (inout MemberWriter) -> Void) {
    if isXML { write(&self) } else { json.object { MemberWriter.lend(&$0, to: write) } }
  }

  /// The same for elements.
  private static func lend(_ xml: inout XMLWriter, _ names: QueryNames?, to write: (inout MemberWriter) -> Void) {
    var writer = MemberWriter(isXML: true, names: names)
    swap(&writer.xml, &xml)
    write(&writer)
    swap(&writer.xml, &xml)
  }

  package mutating func member(_ name: String, _ value: String?) {
    guard let value else { return }
    if isXML { return xml.element(name, value) }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: Int?) {
    guard let value else { return }
    if isXML { return xml.element(name, String(value)) }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: Bool?) {
    guard let value else { return }
    if isXML { return xml.element(name, value ? "true" : "false") }
    json.name(name)
    json.value(value)
  }

  package mutating func member(_ name: String, _ value: Double?) {
    guard let value else { return }
    if isXML { return xml.element(name, "\(value)") }
    json.name(name)
    json.value(value)
  }

  /// A moment as each protocol writes it: seconds since 1970 in JSON, a date of whole seconds in XML.
  package mutating func moment(_ name: String, _ value: Timestamp?) {
    guard let value else { return }
    if isXML { return xml.element(name, value.iso8601Seconds) }
    json.name(name)
    json.moment(Double(value.milliseconds) / 1000)
  }

  package mutating func member(_ name: String, _ value: [String]?) {
    guard let value else { return }
    if isXML {
      if let flat = names?.written(name) {
        for element in value { xml.element(flat.wire, element) }
        return
      }
      return xml.element(name) { xml in
        for element in value { xml.element("member", element) }
      }
    }
    json.name(name)
    json.array(value) { $0.value($1) }
  }

  package mutating func member(_ name: String, _ value: [(key: String, value: String)]?) {
    guard let value else { return }
    if isXML {
      if let flat = names?.written(name) {
        for pair in value {
          xml.element(flat.wire) { xml in
            xml.element(flat.key, pair.key)
            xml.element(flat.value, pair.value)
          }
        }
        return
      }
      return xml.element(name) { xml in
        for pair in value {
          xml.element("entry") { xml in
            xml.element("key", pair.key)
            xml.element("value", pair.value)
          }
        }
      }
    }
    json.name(name)
    json.object { json in
      for pair in value {
        json.name(pair.key)
        json.value(pair.value)
      }
    }
  }

  /// A document; in XML it is a text.
  package mutating func member(_ name: String, _ value: JSONValue?) {
    guard let value else { return }
    if isXML { return xml.element(name, value.text) }
    json.name(name)
    json.value(value)
  }

  /// A structure.
  package mutating func object(_ name: String, _ write: (inout MemberWriter) -> Void) {
    let names = names
    if isXML { return xml.element(name) { MemberWriter.lend(&$0, names, to: write) } }
    json.name(name)
    json.object { json in
      MemberWriter.lend(&json, to: write)
    }
  }

  /// Bytes: in base64, where the protocol is of text.
  package mutating func blob(_ name: String, _ value: [UInt8]?) {
    guard let value else { return }
    if isXML { return xml.element(name, Base64.encode(value)) }
    json.name(name)
    json.value(value)
  }

  /// Numbers, one each for something.
  package mutating func member(_ name: String, _ value: [Double]) {
    if isXML {
      return xml.element(name) { xml in
        for element in value { xml.element("member", "\(element)") }
      }
    }
    json.name(name)
    json.array(value) { $0.value($1) }
  }

  package mutating func moments(_ name: String, _ value: [Timestamp]) {
    if isXML {
      return xml.element(name) { xml in
        for element in value { xml.element("member", element.iso8601Seconds) }
      }
    }
    json.name(name)
    json.array(value) { $0.moment(Double($1.milliseconds) / 1000) }
  }

  /// A map of numbers.
  package mutating func member(_ name: String, _ value: [(key: String, value: Double)]) {
    if isXML {
      return xml.element(name) { xml in
        for pair in value {
          xml.element("entry") { xml in
            xml.element("key", pair.key)
            xml.element("value", "\(pair.value)")
          }
        }
      }
    }
    json.name(name)
    json.object { json in
      for pair in value {
        json.name(pair.key)
        json.value(pair.value)
      }
    }
  }

  /// A map of structures.
  package mutating func map<T>(
    _ name: String, _ elements: [(key: String, value: T)], _ write: (inout MemberWriter, T) -> Void
  ) {
    if isXML {
      let names = names
      let flat = names?.written(name) ?? QueryNames.Name(name, name, key: "key", value: "value")
      for element in elements {
        xml.element(flat.wire) { xml in
          xml.element(flat.key, element.key)
          xml.element(flat.value) { MemberWriter.lend(&$0, names) { write(&$0, element.value) } }
        }
      }
      return
    }
    json.name(name)
    json.object { json in
      for element in elements {
        json.name(element.key)
        json.object { json in MemberWriter.lend(&json) { write(&$0, element.value) } }
      }
    }
  }

  /// A list of structures.
  package mutating func list<T>(_ name: String, _ elements: [T], _ write: (inout MemberWriter, T) -> Void) {
    if isXML {
      let names = names
      if let flat = names?.written(name) {
        for element in elements {
          xml.element(flat.wire) { MemberWriter.lend(&$0, names) { write(&$0, element) } }
        }
        return
      }
      return xml.element(name) { xml in
        for element in elements {
          xml.element("member") { MemberWriter.lend(&$0, names) { write(&$0, element) } }
        }
      }
    }
    json.name(name)
    json.array(elements) { json, element in
      json.object { json in
        MemberWriter.lend(&json) { write(&$0, element) }
      }
    }
  }
}
