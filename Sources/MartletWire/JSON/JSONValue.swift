// A JSON document as a tree, for control-plane bodies and for documents that Martlet itself keeps. Never for payloads.
import MartletCore
import NIOCore

/// One JSON value. Members of an object keep their order.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  package struct Member: Sendable, Equatable {
    package let name: String
    package let value: JSONValue
    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The member of an object (the last one if it is repeated); nil if absent or this is not an object.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  package var string: String? { if case .string(let s) = self { s } else { nil } }
  package var integer: Int? { if case .integer(let n) = self { Int(n) } else { nil } }
  /// An integer or a fraction.
  package var number: Double? {
    switch self {
    case .integer(let n): Double(n)
    case .double(let d): d
    default: nil
    }
  }
  package var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
  package var array: [JSONValue]? { if case .array(let a) = self { a } else { nil } }
  package var members: [Member]? { if case .object(let m) = self { m } else { nil } }
}

extension JSONValue {
  /// An object; members without a value are left out.
  package static func members(_ members: (name: String, value: JSONValue?)...) -> JSONValue {
    .object(members.compactMap { member in member.value.map { Member(member.name, $0) } })
  }

  /// The value as compact JSON.
  package var text: String {
    var json = JSONWriter()
    json.value(self)
    return json.text
  }
}

extension JSONValue {
  /// Parses one document; the grammar is checked by `JSONScanner` first, so the reader below need not.
  package init(parsing buffer: ByteBuffer) throws(JSONFlaw) {
    if let flaw = JSONScanner.flaw(in: buffer) { throw flaw }
    self = buffer.withUnsafeReadableBytes { bytes in
      var reader = JSONTreeReader(bytes: bytes)
      return reader.value()
    }
  }

  package init(parsing text: String) throws(JSONFlaw) {
    try self.init(parsing: ByteBuffer(string: text))
  }
}

/// Builds the tree from bytes that are known to be valid; depth is bounded by the scanner.
private struct JSONTreeReader {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func next() -> UInt8 {
    while true {
      let byte = bytes[position]
      if byte > 0x20 { return byte }
      position += 1
    }
  }

  mutating func value() -> JSONValue {
    switch next() {
    case UInt8(ascii: "{"):
      position += 1
      var members: [JSONValue.Member] = []
      while next() != UInt8(ascii: "}") {
        if bytes[position] == UInt8(ascii: ",") {
          position += 1
          continue
        }
        let name = string()
        _ = next()
        position += 1  // the colon
        members.append(.init(name, value()))
      }
      position += 1
      return .object(members)
    case UInt8(ascii: "["):
      position += 1
      var elements: [JSONValue] = []
      while next() != UInt8(ascii: "]") {
        if bytes[position] == UInt8(ascii: ",") {
          position += 1
          continue
        }
        elements.append(value())
      }
      position += 1
      return .array(elements)
    case UInt8(ascii: "\""): return .string(string())
    case UInt8(ascii: "t"):
      position += 4
      return .bool(true)
    case UInt8(ascii: "f"):
      position += 5
      return .bool(false)
    case UInt8(ascii: "n"):
      position += 4
      return .null
    default: return number()
    }
  }

  private mutating func number() -> JSONValue {
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        position += 1
        continue
      default: break
      }
      break
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if let integer = Int64(text) { return .integer(integer) }
    // A number too large for a double is kept as the largest one: infinity could not be written again.
    let double = Double(text) ?? 0
    return .double(double.isInfinite ? (double < 0 ? -1 : 1) * Double.greatestFiniteMagnitude : double)
  }

  private mutating func string() -> String {
    position += 1
    let start = position
    while bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") { position += 1 }
    if bytes[position] == UInt8(ascii: "\"") {
      position += 1
      return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
    }
    var text = Array(bytes[start..<position])
    while bytes[position] != UInt8(ascii: "\"") {
      if bytes[position] != UInt8(ascii: "\\") {
        text.append(bytes[position])
        position += 1
        continue
      }
      position += 2
      switch bytes[position - 1] {
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0c)
      case UInt8(ascii: "n"): text.append(0x0a)
      case UInt8(ascii: "r"): text.append(0x0d)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"): text.append(contentsOf: escapedScalar())
      default: text.append(bytes[position - 1])
      }
    }
    position += 1
    return String(decoding: text, as: UTF8.self)
  }

  /// `\uXXXX`, or a pair of them; a lone surrogate becomes U+FFFD.
  private mutating func escapedScalar() -> String.UTF8View {
    let first = hex()
    var scalar = UInt32(first)
    if (0xd800...0xdbff).contains(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    {
      let mark = position
      position += 2
      let second = hex()
      if (0xdc00...0xdfff).contains(second) {
        scalar = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
      } else {
        position = mark
      }
    }
    return String(Character(UnicodeScalar(scalar) ?? "\u{fffd}")).utf8
  }

  private mutating func hex() -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      let byte = bytes[position]
      let digit = byte <= 57 ? byte - 48 : (byte | 0x20) - 87
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}
