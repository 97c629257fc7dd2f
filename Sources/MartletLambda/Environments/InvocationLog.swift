// The tail of what an environment prints, which an invocation may ask for. Lives on the environment's event loop.
import MartletCore
import NIOCore

final class InvocationLog {
  private let limit: Int
  private var tail = ByteBuffer()

  init(limit: ByteCount) { self.limit = limit.bytes }

  /// A new invocation: what was printed before is not its own.
  func begin() { tail.clear(minimumCapacity: 0) }

  func write(_ line: String) { append(ByteBuffer(string: line)) }

  /// The last bytes, as many as the limit allows. Runtimes write the lines of one message with carriage returns between
  /// them, so that a reader of lines can tell messages apart; people get line ends.
  var end: ByteBuffer {
    let count = min(tail.readableBytes, limit)
    var bytes = Array(tail.readableBytesView.suffix(count))
    for i in bytes.indices where bytes[i] == 13 && (i + 1 == bytes.count || bytes[i + 1] != 10) { bytes[i] = 10 }
    return ByteBuffer(bytes: bytes)
  }

  func append(_ bytes: ByteBuffer) {
    tail.writeImmutableBuffer(bytes)
    if tail.readableBytes > 8 * limit {
      tail.moveReaderIndex(forwardBy: tail.readableBytes - limit)
      tail.discardReadBytes()
    }
  }
}
