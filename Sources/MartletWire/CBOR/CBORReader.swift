// Reads CBOR, the binary form of JSON that newer clients send, as a tree. The bytes are a stranger's.
// https://www.rfc-editor.org/rfc/rfc8949 and https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
import NIOCore

/// Why bytes are not one document of CBOR, and where.
package struct CBORFlaw: Error, Sendable, Equatable {
  package let reason: String
  package let offset: Int
}

extension JSONValue {
  /// Parses one document. Byte strings become base64, and tags are dropped: a moment is its number of seconds.
  package init(cbor buffer: ByteBuffer) throws(CBORFlaw) {
    var reader = CBORReader(bytes: Array(buffer.readableBytesView))
    self = try reader.value(depth: 0)
    guard reader.isAtEnd else { throw reader.flaw("there is more after the document") }
  }
}

private struct CBORReader {
  let bytes: [UInt8]
  private var position = 0

  private static let deepest = 64

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  func flaw(_ reason: String) -> CBORFlaw { CBORFlaw(reason: reason, offset: position) }

  private mutating func byte() throws(CBORFlaw) -> UInt8 {
    guard position < bytes.count else { throw flaw("it ends too early") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func number(bytes count: Int) throws(CBORFlaw) -> UInt64 {
    var value: UInt64 = 0
    for _ in 0..<count { value = value << 8 | UInt64(try byte()) }
    return value
  }

  /// What follows the first byte; nil for a length that is not said.
  private mutating func argument(_ low: UInt8) throws(CBORFlaw) -> UInt64? {
    switch low {
    case 0..<24: UInt64(low)
    case 24: try number(bytes: 1)
    case 25: try number(bytes: 2)
    case 26: try number(bytes: 4)
    case 27: try number(bytes: 8)
    case 31: nil
    default: throw flaw("a reserved length")
    }
  }

  /// True, and the break is passed, if nothing more is in something whose length was not said.
  private mutating func isBroken() throws(CBORFlaw) -> Bool {
    guard position < bytes.count else { throw flaw("it ends too early") }
    guard bytes[position] == 0xff else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(CBORFlaw) -> JSONValue {
    guard depth < CBORReader.deepest else { throw flaw("it is nested too deeply") }
    let first = try byte()
    let (major, low) = (first >> 5, first & 0x1f)
    if major == 7 { return try simple(low) }
    let argument = try argument(low)
    switch major {
    case 0, 1:
      guard let argument else { throw flaw("an integer without a value") }
      guard let value = Int64(exactly: argument) else {
        return .double(major == 0 ? Double(argument) : -1 - Double(argument))
      }
      return .integer(major == 0 ? value : -1 - value)
    case 2: return .string(Base64.encode(try string(argument, major: 2)))
    case 3: return .string(try text(argument))
    case 4: return .array(try array(argument, depth: depth))
    case 5: return .object(try map(argument, depth: depth))
    default:
      guard argument != nil else { throw flaw("a tag without a number") }
      return try value(depth: depth + 1)
    }
  }

  private mutating func string(_ length: UInt64?, major: UInt8) throws(CBORFlaw) -> [UInt8] {
    if let length {
      guard length <= UInt64(bytes.count - position) else { throw flaw("a string that is longer than what there is") }
      defer { position += Int(length) }
      return Array(bytes[position..<position + Int(length)])
    }
    var whole: [UInt8] = []
    while try !isBroken() {
      let first = try byte()
      guard first >> 5 == major, let length = try argument(first & 0x1f) else { throw flaw("a piece of another kind") }
      whole += try string(length, major: major)
    }
    return whole
  }

  private mutating func text(_ length: UInt64?) throws(CBORFlaw) -> String {
    let bytes = try string(length, major: 3)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw flaw("a text that is not UTF-8") }
    return text
  }

  private mutating func array(_ count: UInt64?, depth: Int) throws(CBORFlaw) -> [JSONValue] {
    var elements: [JSONValue] = []
    if let count {
      // Each needs a byte at least, so nobody is made to reserve more than was sent.
      guard count <= UInt64(bytes.count - position) else { throw flaw("a list that is longer than what there is") }
      for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
    } else {
      while try !isBroken() { elements.append(try value(depth: depth + 1)) }
    }
    return elements
  }

  private mutating func map(_ count: UInt64?, depth: Int) throws(CBORFlaw) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let count {
      guard count <= UInt64(bytes.count - position) else { throw flaw("a map that is longer than what there is") }
      for _ in 0..<count { members.append(try member(depth: depth)) }
    } else {
      while try !isBroken() { members.append(try member(depth: depth)) }
    }
    return members
  }

  private mutating func member(depth: Int) throws(CBORFlaw) -> JSONValue.Member {
    let first = try byte()
    guard first >> 5 == 3 else { throw flaw("a key that is no text") }
    let length = try argument(first & 0x1f)
    let name = try text(length)
    return JSONValue.Member(name, try value(depth: depth + 1))
  }

  private mutating func simple(_ low: UInt8) throws(CBORFlaw) -> JSONValue {
    switch low {
    case 20: .bool(false)
    case 21: .bool(true)
    case 22, 23: .null
    case 25: .double(CBORReader.half(UInt16(try number(bytes: 2))))
    case 26: .double(Double(Float(bitPattern: UInt32(try number(bytes: 4)))))
    case 27: .double(Double(bitPattern: try number(bytes: 8)))
    default: throw flaw("a value of an unknown kind")
    }
  }

  /// Sixteen bits: one of the sign, five of the exponent, ten of the fraction.
  private static func half(_ bits: UInt16) -> Double {
    let (exponent, fraction) = (Int(bits >> 10 & 0x1f), Double(bits & 0x3ff))
    let size =
      switch exponent {
      case 0: fraction * 0x1p-24
      case 31: fraction == 0 ? Double.infinity : Double.nan
      default: (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
      }
    return bits >> 15 == 1 ? -size : size
  }
}
