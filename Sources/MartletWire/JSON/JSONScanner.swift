// Says whether bytes are one JSON value (RFC 8259) without building anything: payloads are checked, never decoded.
import NIOCore

/// Where and why bytes are not JSON.
package struct JSONFlaw: Error, Equatable, Sendable {
  package let offset: Int
  package let reason: String
}

package enum JSONScanner {
  /// Nesting deeper than this is refused, so that no reader behind us can be made to overflow its stack.
  package static let maximumDepth = 1000

  /// nil if `buffer` is exactly one JSON value, surrounded by nothing but white space.
  package static func flaw(in buffer: ByteBuffer) -> JSONFlaw? {
    buffer.withUnsafeReadableBytes { flaw(in: $0) }
  }

  package static func flaw(in bytes: UnsafeRawBufferPointer) -> JSONFlaw? {
    var scan = Scan(bytes: bytes)
    do throws(JSONFlaw) {
      try scan.document()
      return nil
    } catch {
      return error
    }
  }
}

/// One pass over the bytes. A bit set of open brackets stands in for recursion.
private struct Scan {
  let bytes: UnsafeRawBufferPointer
  var position = 0
  /// true = object, false = array.
  var open: [Bool] = []

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private enum Expect { case value, valueOrEnd, key, keyOrEnd, commaOrEnd }

  mutating func document() throws(JSONFlaw) {
    var expect = Expect.value
    while true {
      skipSpace()
      guard position < bytes.count else { throw flaw("Unexpected end-of-input") }
      let byte = bytes[position]
      switch expect {
      case .value, .valueOrEnd:
        if byte == UInt8(ascii: "]"), expect == .valueOrEnd {
          expect = try close(object: false)
        } else if byte == UInt8(ascii: "{") {
          try push(object: true)
          expect = .keyOrEnd
          continue
        } else if byte == UInt8(ascii: "[") {
          try push(object: false)
          expect = .valueOrEnd
          continue
        } else {
          try scalar(byte)
          expect = .commaOrEnd
        }
      case .key, .keyOrEnd:
        if byte == UInt8(ascii: "}"), expect == .keyOrEnd {
          expect = try close(object: true)
        } else {
          guard byte == UInt8(ascii: "\"") else {
            throw unexpected(byte, "was expecting double-quote to start field name")
          }
          try string()
          skipSpace()
          guard position < bytes.count else { throw flaw("Unexpected end-of-input") }
          guard bytes[position] == UInt8(ascii: ":") else {
            throw unexpected(bytes[position], "was expecting a colon to separate field name and value")
          }
          position += 1
          expect = .value
          continue
        }
      case .commaOrEnd:
        guard let inObject = open.last else { throw flaw("Unexpected content after the JSON value") }
        if byte == UInt8(ascii: ",") {
          position += 1
          expect = inObject ? .key : .value
          continue
        }
        guard byte == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw unexpected(byte, "was expecting comma to separate \(inObject ? "Object" : "Array") entries")
        }
        expect = try close(object: inObject)
      }
      if open.isEmpty {
        skipSpace()
        guard position == bytes.count else { throw unexpected(bytes[position], "was expecting the end of input") }
        return
      }
    }
  }

  private mutating func push(object: Bool) throws(JSONFlaw) {
    guard open.count < JSONScanner.maximumDepth else {
      throw flaw("Document nesting depth exceeds the maximum allowed (\(JSONScanner.maximumDepth))")
    }
    open.append(object)
    position += 1
  }

  private mutating func close(object: Bool) throws(JSONFlaw) -> Expect {
    position += 1
    open.removeLast()
    return .commaOrEnd
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  private mutating func scalar(_ first: UInt8) throws(JSONFlaw) {
    switch first {
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default:
      if (65...90).contains(first) || (97...122).contains(first) { throw token() }
      throw unexpected(
        first, "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
    }
  }

  private mutating func word(_ text: StaticString) throws(JSONFlaw) {
    let length = text.utf8CodeUnitCount
    for i in 0..<length {
      guard position + i < bytes.count, bytes[position + i] == text.utf8Start[i] else { throw token() }
    }
    if position + length < bytes.count, isWordByte(bytes[position + length]) { throw token() }
    position += length
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    (65...90).contains(byte) || (97...122).contains(byte) || (48...57).contains(byte) || byte == 95
  }

  private func token() -> JSONFlaw {
    var end = position
    while end < bytes.count, end - position < 40, isWordByte(bytes[end]) { end += 1 }
    let name = String(decoding: bytes[position..<end], as: UTF8.self)
    return flaw(
      "Unrecognized token '\(name)': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    )
  }

  private mutating func number() throws(JSONFlaw) {
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    guard position < bytes.count else { throw flaw("Unexpected end-of-input") }
    if bytes[position] == UInt8(ascii: "0") {
      position += 1
      if position < bytes.count, (48...57).contains(bytes[position]) {
        throw flaw("Invalid numeric value: Leading zeroes not allowed")
      }
    } else {
      try digits()
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      try digits()
    }
    if position < bytes.count, isWordByte(bytes[position]) {
      throw unexpected(bytes[position], "Expected space separating root-level values")
    }
  }

  private mutating func digits() throws(JSONFlaw) {
    let start = position
    while position < bytes.count, (48...57).contains(bytes[position]) { position += 1 }
    guard position > start else {
      guard position < bytes.count else { throw flaw("Unexpected end-of-input") }
      throw unexpected(bytes[position], "expected digit (0-9)")
    }
  }

  private mutating func string() throws(JSONFlaw) {
    position += 1
    while true {
      position = endOfPlain(from: position)
      guard position < bytes.count else {
        throw flaw("Unexpected end-of-input: was expecting closing quote for a string value")
      }
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return
      }
      if byte == UInt8(ascii: "\\") {
        try escape()
      } else if byte < 0x20 {
        throw flaw(
          "Illegal unquoted character ((CTRL-CHAR, code \(byte))): has to be escaped using backslash to be included in string value"
        )
      } else {
        try multibyte(byte)
      }
    }
  }

  /// The end of what means nothing in a string: ASCII but control characters, quotes, backslashes. Eight bytes are
  /// looked at together: one from which is subtracted more than it has borrows, and has its highest bit set then.
  private func endOfPlain(from position: Int) -> Int {
    guard let start = bytes.baseAddress else { return position }
    var at = position
    let end = bytes.count
    let (ones, high): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    while at &+ 8 <= end {
      let word = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      let control = word &- 0x2020_2020_2020_2020
      let quote = (word ^ 0x2222_2222_2222_2222) &- ones
      let backslash = (word ^ 0x5c5c_5c5c_5c5c_5c5c) &- ones
      let found = (word | control | quote | backslash) & high
      // The first of them is a true one: nothing below it has borrowed.
      guard found == 0 else { return at &+ found.trailingZeroBitCount / 8 }
      at &+= 8
    }
    while at < end, bytes[at] &- 0x20 < 0x60, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") {
      at &+= 1
    }
    return at
  }

  private mutating func escape() throws(JSONFlaw) {
    position += 1
    guard position < bytes.count else { throw flaw("Unexpected end-of-input") }
    let kind = bytes[position]
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return
    case UInt8(ascii: "u"):
      for _ in 0..<4 {
        guard position < bytes.count else { throw flaw("Unexpected end-of-input") }
        let digit = bytes[position]
        guard (48...57).contains(digit) || (65...70).contains(digit) || (97...102).contains(digit) else {
          throw unexpected(digit, "expected a hex-digit for character escape sequence")
        }
        position += 1
      }
    default:
      throw JSONFlaw(offset: position - 1, reason: "Unrecognized character escape \(printable(kind))")
    }
  }

  /// One character of two to four bytes: no overlong forms, no surrogates, nothing above U+10FFFF.
  private mutating func multibyte(_ lead: UInt8) throws(JSONFlaw) {
    let count: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xbf
    switch lead {
    case 0xc2...0xdf: count = 1
    case 0xe0: (count, low) = (2, 0xa0)
    case 0xed: (count, high) = (2, 0x9f)
    case 0xe1...0xef: count = 2
    case 0xf0: (count, low) = (3, 0x90)
    case 0xf4: (count, high) = (3, 0x8f)
    case 0xf1...0xf3: count = 3
    default: throw flaw("Invalid UTF-8 start byte 0x\(String(lead, radix: 16))")
    }
    for i in 1...count {
      guard position + i < bytes.count else { throw flaw("Unexpected end-of-input") }
      let byte = bytes[position + i]
      let valid = i == 1 ? low...high : 0x80...0xbf
      guard valid.contains(byte) else { throw flaw("Invalid UTF-8 middle byte 0x\(String(byte, radix: 16))") }
    }
    position += count + 1
  }

  private func flaw(_ reason: String) -> JSONFlaw { JSONFlaw(offset: position, reason: reason) }

  private func unexpected(_ byte: UInt8, _ why: String) -> JSONFlaw {
    flaw("Unexpected character (\(printable(byte))): \(why)")
  }

  private func printable(_ byte: UInt8) -> String {
    (0x21...0x7e).contains(byte) ? "'\(Character(UnicodeScalar(byte)))' (code \(byte))" : "code \(byte)"
  }
}
