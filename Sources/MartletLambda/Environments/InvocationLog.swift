// What an environment prints: read from its pipe, kept as the tail that an invocation may ask for.
import Glibc
import MartletCore
import NIOCore
import NIOPosix

/// Lives on its environment's event loop.
final class InvocationLog {
  private let descriptor: CInt
  private var channel: (any Channel)?
  private let limit: Int
  private var tail = ByteBuffer()
  /// Bytes read so far, and who waits until how many have been read.
  private var received = 0
  private var waiters: [(target: Int, body: () -> Void)] = []

  /// Takes over the reading end of the pipe.
  init(descriptor: CInt, limit: ByteCount) {
    self.descriptor = descriptor
    self.limit = limit.bytes
  }

  /// Begins to read.
  func attach(_ eventLoop: any EventLoop) {
    let log = NIOLoopBound(self, eventLoop: eventLoop)
    NIOPipeBootstrap(group: eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(PipeReader(log: log.value))
        }
      }
      .takingOwnershipOfDescriptor(input: descriptor)
      .whenSuccess { log.value.channel = $0 }
  }

  func close() {
    settle(all: true)
    channel?.close(promise: nil)
    channel = nil
  }

  /// A new invocation: what was printed before is not its own.
  func begin() {
    settle(all: true)
    tail.clear(minimumCapacity: 0)
  }

  func write(_ line: String) { append(ByteBuffer(string: line)) }

  /// Calls `body` when everything that lies in the pipe now has been read: what a function prints before it answers
  /// stands before the answer in its log, although the two come by different ways.
  func whenCaughtUp(_ body: @escaping () -> Void) {
    var pending: CInt = 0
    guard channel != nil, ioctl(descriptor, UInt(FIONREAD), &pending) == 0, pending > 0 else { return body() }
    waiters.append((received + Int(pending), body))
  }

  /// The last bytes, as many as the limit allows. Runtimes write the lines of one message with carriage returns between
  /// them, so that a reader of lines can tell messages apart; people get line ends.
  var end: ByteBuffer {
    let count = min(tail.readableBytes, limit)
    var bytes = Array(tail.readableBytesView.suffix(count))
    for i in bytes.indices where bytes[i] == 13 && (i + 1 == bytes.count || bytes[i + 1] != 10) { bytes[i] = 10 }
    return ByteBuffer(bytes: bytes)
  }

  fileprivate func read(_ bytes: ByteBuffer) {
    append(bytes)
    received += bytes.readableBytes
    settle(all: false)
  }

  fileprivate func ended() { settle(all: true) }

  private func settle(all: Bool) {
    while let first = waiters.first, all || first.target <= received {
      waiters.removeFirst()
      first.body()
    }
  }

  private func append(_ bytes: ByteBuffer) {
    tail.writeImmutableBuffer(bytes)
    if tail.readableBytes > 8 * limit {
      tail.moveReaderIndex(forwardBy: tail.readableBytes - limit)
      tail.discardReadBytes()
    }
  }
}

private final class PipeReader: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let log: InvocationLog

  init(log: InvocationLog) { self.log = log }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { log.read(unwrapInboundIn(data)) }

  func channelInactive(context: ChannelHandlerContext) { log.ended() }
}
