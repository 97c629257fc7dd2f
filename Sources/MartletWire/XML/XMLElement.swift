// An XML element of a message: names, texts and children. Attributes, comments and namespaces are read over; document
// types, and with them entities of the sender's own, are refused.

package struct XMLElement: Sendable, Equatable {
  /// Without a namespace's prefix.
  package let name: String
  /// The character data directly inside, whole.
  package var text: String
  package var children: [XMLElement]

  package init(_ name: String, text: String = "", children: [XMLElement] = []) {
    self.name = name
    self.text = text
    self.children = children
  }

  /// The text of the first child of that name.
  package subscript(_ name: String) -> String? { child(name)?.text }

  package func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  package func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// Reads a document.
  /// - Throws: `XMLFlaw` if it is not well-formed, or nested more than 64 deep.
  package init(parsing bytes: some Sequence<UInt8>) throws(XMLFlaw) {
    var parser = XMLParser(bytes: Array(bytes))
    self = try parser.document()
  }
}

package struct XMLFlaw: Error, Equatable {
  package let reason: String
  package let offset: Int
}

private struct XMLParser {
  let bytes: [UInt8]
  var position = 0

  static let deepest = 64

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(XMLFlaw) -> XMLElement {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    try skipMiscellany()
    guard peek("<") else { throw flaw("no element") }
    let root = try element(depth: 1)
    try skipMiscellany()
    guard position == bytes.count else { throw flaw("something follows the document") }
    return root
  }

  private func flaw(_ reason: String) -> XMLFlaw { XMLFlaw(reason: reason, offset: position) }

  private func peek(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    for i in 0..<count where bytes[position + i] != text.utf8Start[i] { return false }
    return true
  }

  private mutating func take(_ text: StaticString) -> Bool {
    guard peek(text) else { return false }
    position += text.utf8CodeUnitCount
    return true
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

  private mutating func skipSpace() {
    while position < bytes.count, XMLParser.isSpace(bytes[position]) { position += 1 }
  }

  private mutating func skip(past end: StaticString, _ what: String) throws(XMLFlaw) {
    while position < bytes.count {
      if take(end) { return }
      position += 1
    }
    throw flaw("an unfinished \(what)")
  }

  /// Declaration, comments, instructions, space.
  private mutating func skipMiscellany() throws(XMLFlaw) {
    while true {
      skipSpace()
      if take("<?") {
        try skip(past: "?>", "instruction")
      } else if take("<!--") {
        try skip(past: "-->", "comment")
      } else if peek("<!") {
        throw flaw("a document type")
      } else {
        return
      }
    }
  }

  private mutating func name() throws(XMLFlaw) -> String {
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      let ends = XMLParser.isSpace(byte) || [0x2F, 0x3E, 0x3D, 0x3C, 0x26, 0x22, 0x27].contains(byte)
      if ends { break }
      position += 1
    }
    guard position > start else { throw flaw("a name is missing") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func element(depth: Int) throws(XMLFlaw) -> XMLElement {
    guard depth <= XMLParser.deepest else { throw flaw("nested too deep") }
    guard take("<") else { throw flaw("an element is missing") }
    let qualified = try name()
    let local = qualified.split(separator: ":", maxSplits: 1).last.map(String.init) ?? qualified
    var element = XMLElement(local)
    try skipAttributes()
    if take("/>") { return element }
    guard take(">") else { throw flaw("an unfinished tag") }
    try content(of: &element, depth: depth)
    guard try name() == qualified else { throw flaw("tags do not match") }
    skipSpace()
    guard take(">") else { throw flaw("an unfinished tag") }
    return element
  }

  private mutating func skipAttributes() throws(XMLFlaw) {
    while true {
      skipSpace()
      guard position < bytes.count else { throw flaw("an unfinished tag") }
      if peek("/>") || peek(">") { return }
      _ = try name()
      skipSpace()
      guard take("=") else { throw flaw("an attribute without a value") }
      skipSpace()
      if take("\"") {
        try skip(past: "\"", "attribute")
      } else if take("'") {
        try skip(past: "'", "attribute")
      } else {
        throw flaw("an attribute without quotes")
      }
    }
  }

  /// Up to and including the `</` that ends the element.
  private mutating func content(of element: inout XMLElement, depth: Int) throws(XMLFlaw) {
    var text: [UInt8] = []
    while position < bytes.count {
      if take("</") {
        element.text = String(decoding: text, as: UTF8.self)
        return
      } else if take("<!--") {
        try skip(past: "-->", "comment")
      } else if take("<![CDATA[") {
        let start = position
        try skip(past: "]]>", "CDATA")
        text += bytes[start..<(position - 3)]
      } else if take("<?") {
        try skip(past: "?>", "instruction")
      } else if peek("<") {
        element.children.append(try self.element(depth: depth + 1))
      } else if take("&") {
        text += try entity()
      } else {
        text.append(bytes[position])
        position += 1
      }
    }
    throw flaw("an unfinished element")
  }

  private mutating func entity() throws(XMLFlaw) -> [UInt8] {
    guard let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
      throw flaw("an unfinished entity")
    }
    let name = String(decoding: bytes[position..<end], as: UTF8.self)
    let named = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
    if let text = named[name] {
      position = end + 1
      return Array(text.utf8)
    }
    var number: UInt32?
    if name.hasPrefix("#x") {
      number = UInt32(name.dropFirst(2), radix: 16)
    } else if name.hasPrefix("#") {
      number = UInt32(name.dropFirst())
    }
    guard let number, number != 0, let scalar = Unicode.Scalar(number) else { throw flaw("an unknown entity") }
    position = end + 1
    return Array(String(Character(scalar)).utf8)
  }
}
