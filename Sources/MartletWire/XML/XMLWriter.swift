// Writes XML elements straight into a buffer.
import NIOCore

package struct XMLWriter {
  package private(set) var buffer = ByteBuffer()

  package init() {}

  /// What was written, as text.
  package var text: String { String(buffer: buffer) }

  /// `<name attributes>…</name>`
  package mutating func element(_ name: String, _ attributes: String = "", _ body: (inout XMLWriter) -> Void) {
    open(name, attributes)
    body(&self)
    close(name)
  }

  package mutating func element(_ name: String, _ text: String) {
    open(name, "")
    escaped(text)
    close(name)
  }

  /// Elements that were written elsewhere.
  package mutating func append(_ fragment: ByteBuffer) { buffer.writeImmutableBuffer(fragment) }

  private mutating func open(_ name: String, _ attributes: String) {
    buffer.writeString(attributes.isEmpty ? "<\(name)>" : "<\(name) \(attributes)>")
  }

  private mutating func close(_ name: String) { buffer.writeString("</\(name)>") }

  /// What XML 1.0 cannot hold at all becomes U+FFFD; a carriage return would not survive a parser as it is.
  private mutating func escaped(_ text: String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": buffer.writeStaticString("&amp;")
      case "<": buffer.writeStaticString("&lt;")
      case ">": buffer.writeStaticString("&gt;")
      case "\"": buffer.writeStaticString("&quot;")
      case "\r": buffer.writeStaticString("&#xD;")
      case "\t", "\n": buffer.writeInteger(UInt8(scalar.value))
      case "\u{0}"..."\u{1f}", "\u{fffe}", "\u{ffff}": buffer.writeStaticString("\u{fffd}")
      default: buffer.writeString(String(Character(scalar)))
      }
    }
  }
}
