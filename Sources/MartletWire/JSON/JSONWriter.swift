// Writes JSON straight into a buffer, member by member.
import NIOCore

package struct JSONWriter {
  package private(set) var buffer = ByteBuffer()
  private var needsComma = false

  package init() {}

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
    separate()
    quoted(name)
    buffer.writeInteger(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func value(_ value: String) {
    separate()
    quoted(value)
    needsComma = true
  }

  package mutating func value(_ value: Int) { bare(String(value)) }
  package mutating func value(_ value: Bool) { bare(value ? "true" : "false") }
  package mutating func value(_ value: Double) { bare(value.isFinite ? "\(value)" : "null") }
  package mutating func null() { bare("null") }

  package mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let b): self.value(b)
    case .integer(let n): bare(String(n))
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
    separate()
    buffer.writeStaticString(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: StaticString) {
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
