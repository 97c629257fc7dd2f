// Writes JSON straight into a buffer, member by member; or the same document as CBOR.
import NIOCore

package struct JSONWriter {
  package private(set) var buffer = ByteBuffer()
  private var needsComma = false
  /// CBOR is written.
  package let isBinary: Bool

  package init(isBinary: Bool = false) { self.isBinary = isBinary }

  /// What was written, as text.
  package var text: String { String(buffer: buffer) }

  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    open("{")
    body(&self)
    close("}")
  }

  package mutating func array<T>(_ elements: some Sequence<T>, _ body: (inout JSONWriter, T) -> Void) {
    open("[")
    for element in elements { body(&self, element) }
    close("]")
  }

  package mutating func name(_ name: String) {
    if isBinary { return CBOR.text(name, &buffer) }
    separate()
    quoted(name)
    buffer.writeInteger(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func value(_ value: String) {
    if isBinary { return CBOR.text(value, &buffer) }
    separate()
    quoted(value)
    needsComma = true
  }

  package mutating func value(_ value: Int) {
    if isBinary { CBOR.integer(Int64(value), &buffer) } else { bare(String(value)) }
  }

  package mutating func value(_ value: Bool) {
    if isBinary { CBOR.bool(value, &buffer) } else { bare(value ? "true" : "false") }
  }

  package mutating func value(_ value: Double) {
    if isBinary { CBOR.double(value, &buffer) } else { bare(value.isFinite ? "\(value)" : "null") }
  }

  /// Seconds since 1970.
  package mutating func moment(_ seconds: Double) {
    if isBinary { CBOR.moment(seconds: seconds, &buffer) } else { value(seconds) }
  }

  /// Base64 in JSON.
  package mutating func value(_ value: [UInt8]) {
    if isBinary { CBOR.bytes(value, &buffer) } else { self.value(Base64.encode(value)) }
  }

  package mutating func null() {
    if isBinary { CBOR.null(&buffer) } else { bare("null") }
  }

  package mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let b): self.value(b)
    case .integer(let n): self.value(Int(n))
    case .double(let d): self.value(d)
    case .string(let s): self.value(s)
    case .array(let a): array(a) { $0.value($1) }
    case .object(let members):
      object { w in
        for member in members {
          w.name(member.name)
          w.value(member.value)
        }
      }
    }
  }

  private mutating func open(_ bracket: StaticString) {
    if isBinary {
      return bracket.utf8Start.pointee == UInt8(ascii: "{") ? CBOR.openMap(&buffer) : CBOR.openArray(&buffer)
    }
    separate()
    buffer.writeStaticString(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: StaticString) {
    if isBinary { return CBOR.close(&buffer) }
    buffer.writeStaticString(bracket)
    needsComma = true
  }

  private mutating func bare(_ text: String) {
    separate()
    buffer.writeString(text)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
  }

  private mutating func quoted(_ text: String) {
    buffer.writeInteger(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      buffer.writeString(text)
    } else {
      for byte in text.utf8 { escaped(byte) }
    }
    buffer.writeInteger(UInt8(ascii: "\""))
  }

  private mutating func escaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
    case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
    case 0x0a: buffer.writeStaticString("\\n")
    case 0x0d: buffer.writeStaticString("\\r")
    case 0x09: buffer.writeStaticString("\\t")
    case 0..<0x20:
      buffer.writeStaticString(byte < 16 ? "\\u000" : "\\u00")
      buffer.writeString(String(byte, radix: 16))
    default: buffer.writeInteger(byte)
    }
  }
}
