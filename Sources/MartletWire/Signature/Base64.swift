// Base64, both ways.
import FoundationEssentials
import NIOCore

package enum Base64 {
  package static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
  package static func encode(_ buffer: ByteBuffer) -> String {
    buffer.withUnsafeReadableBytes { Data($0) }.base64EncodedString()
  }

  /// nil unless the text is base64 with its padding.
  package static func decode(_ text: String) -> ByteBuffer? {
    Data(base64Encoded: text).map { ByteBuffer(bytes: $0) }
  }
}
