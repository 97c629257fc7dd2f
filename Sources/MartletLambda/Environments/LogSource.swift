// A pipe through which programs of an environment print. Lives on its environment's event loop.
import Glibc
import MartletCore
import NIOCore
import NIOPosix

final class LogSource {
  private let descriptor: CInt
  /// What comes out of the pipe, as lines; whoever takes the bytes cuts them.
  var lines = LineBuffer()
  private var take: (LogSource, ByteBuffer) -> Void = { _, _ in }
  private var channel: (any Channel)?
  private var hasEnded = false
  /// Bytes read so far, and who waits until how many have been read.
  private var received = 0
  private var waiters: [(target: Int, body: () -> Void)] = []

  /// Takes over the reading end of a pipe.
  init(descriptor: CInt) { self.descriptor = descriptor }

  /// Begins to read. `take` gets what comes out of the pipe.
  func attach(_ eventLoop: any EventLoop, take: @escaping (LogSource, ByteBuffer) -> Void) {
    self.take = take
    let source = NIOLoopBound(self, eventLoop: eventLoop)
    NIOPipeBootstrap(group: eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(PipeReader(source: source.value))
        }
      }
      .takingOwnershipOfDescriptor(input: descriptor)
      .whenSuccess { channel in
        if source.value.hasEnded { channel.close(promise: nil) } else { source.value.channel = channel }
      }
  }

  /// Reads what still lies in the pipe, because it will be closed.
  func drain() {
    guard !hasEnded, channel != nil else { return }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    for _ in 0..<16 {
      var pending: CInt = 0
      guard ioctl(descriptor, UInt(FIONREAD), &pending) == 0, pending > 0 else { return }
      let count = Glibc.read(descriptor, &bytes, bytes.count)
      guard count > 0 else { return }
      read(ByteBuffer(bytes: bytes[0..<count]))
    }
  }

  func close() {
    ended()
    channel?.close(promise: nil)
    channel = nil
  }

  /// Calls `body` when everything that lies in the pipe now has been read: what a program prints before it calls stands
  /// before the call in the log, although the two come by different ways.
  func whenCaughtUp(_ body: @escaping () -> Void) {
    var pending: CInt = 0
    guard !hasEnded, channel != nil, ioctl(descriptor, UInt(FIONREAD), &pending) == 0, pending > 0 else {
      return body()
    }
    waiters.append((received + Int(pending), body))
  }

  /// Nobody need wait any longer.
  func settle() { settle(all: true) }

  fileprivate func read(_ bytes: ByteBuffer) {
    take(self, bytes)
    received += bytes.readableBytes
    settle(all: false)
  }

  fileprivate func ended() {
    hasEnded = true
    settle(all: true)
    take = { _, _ in }
  }

  private func settle(all: Bool) {
    while let first = waiters.first, all || first.target <= received {
      waiters.removeFirst()
      first.body()
    }
  }
}

private final class PipeReader: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let source: LogSource

  init(source: LogSource) { self.source = source }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { source.read(unwrapInboundIn(data)) }

  func channelInactive(context: ChannelHandlerContext) { source.ended() }
}
