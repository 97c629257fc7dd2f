// Cuts what a program prints into lines.
import NIOCore

struct LineBuffer {
  /// A longer line becomes several.
  static let limit = 262_144

  private var rest = ByteBuffer()

  /// The lines that are complete now, without their ends.
  mutating func append(_ bytes: ByteBuffer) -> [ByteBuffer] {
    rest.writeImmutableBuffer(bytes)
    var lines: [ByteBuffer] = []
    while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      let length = end - rest.readerIndex
      if let line = rest.readSlice(length: length) { lines.append(line) }
      rest.moveReaderIndex(forwardBy: 1)
    }
    while rest.readableBytes > LineBuffer.limit, let line = rest.readSlice(length: LineBuffer.limit) {
      lines.append(line)
    }
    if rest.readableBytes == 0 { rest = ByteBuffer() } else { rest.discardReadBytes() }
    return lines
  }

  /// What has no line end yet; nil if nothing.
  mutating func flush() -> ByteBuffer? {
    guard rest.readableBytes > 0 else { return nil }
    defer { rest = ByteBuffer() }
    return rest
  }
}
