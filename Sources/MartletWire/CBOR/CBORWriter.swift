// Writes CBOR, item by item. Lists and maps are of indefinite length, so that they are written as they come.
// https://www.rfc-editor.org/rfc/rfc8949
import NIOCore

enum CBOR {
  static func openMap(_ buffer: inout ByteBuffer) { buffer.writeInteger(UInt8(0xbf)) }
  static func openArray(_ buffer: inout ByteBuffer) { buffer.writeInteger(UInt8(0x9f)) }
  /// Ends a map or a list.
  static func close(_ buffer: inout ByteBuffer) { buffer.writeInteger(UInt8(0xff)) }

  static func text(_ value: String, _ buffer: inout ByteBuffer) {
    head(3, UInt64(value.utf8.count), &buffer)
    buffer.writeString(value)
  }

  static func bytes(_ value: [UInt8], _ buffer: inout ByteBuffer) {
    head(2, UInt64(value.count), &buffer)
    buffer.writeBytes(value)
  }

  static func integer(_ value: Int64, _ buffer: inout ByteBuffer) {
    if value >= 0 { head(0, UInt64(value), &buffer) } else { head(1, UInt64(-1 - value), &buffer) }
  }

  static func double(_ value: Double, _ buffer: inout ByteBuffer) {
    buffer.writeInteger(UInt8(0xfb))
    buffer.writeInteger(value.bitPattern)
  }

  static func bool(_ value: Bool, _ buffer: inout ByteBuffer) { buffer.writeInteger(UInt8(value ? 0xf5 : 0xf4)) }
  static func null(_ buffer: inout ByteBuffer) { buffer.writeInteger(UInt8(0xf6)) }

  /// A moment: tag 1, and seconds since 1970.
  static func moment(seconds: Double, _ buffer: inout ByteBuffer) {
    head(6, 1, &buffer)
    double(seconds, &buffer)
  }

  private static func head(_ major: UInt8, _ value: UInt64, _ buffer: inout ByteBuffer) {
    let high = major << 5
    switch value {
    case 0..<24: buffer.writeInteger(high | UInt8(value))
    case 24...0xff:
      buffer.writeInteger(high | 24)
      buffer.writeInteger(UInt8(value))
    case 0x100...0xffff:
      buffer.writeInteger(high | 25)
      buffer.writeInteger(UInt16(value))
    case 0x1_0000...0xffff_ffff:
      buffer.writeInteger(high | 26)
      buffer.writeInteger(UInt32(value))
    default:
      buffer.writeInteger(high | 27)
      buffer.writeInteger(value)
    }
  }
}
