// A function under a debugger: a port on the host's loopback, and who is put through there.
import MartletCore
import NIOCore
import NIOPosix
import Synchronization

/// Environments that are made for a session start their runtime under a debugger, have no deadline, are not frozen, and
/// call the platform whenever they can take a debugger.
package final class DebugSession: Sendable {
  package let key: FunctionKey
  private let world: any World
  /// The incarnation under which a session's environments run, and that of the function that it stands for.
  private let running: Mutex<(origin: RequestID, own: RequestID)?> = Mutex(nil)
  private let lines = Mutex(Lines())
  private let listener = Mutex<(any Channel)?>(nil)

  /// Connections that wait for their other half.
  private struct Lines {
    var debuggers: [any Channel] = []
    var environments: [any Channel] = []
    var isClosed = false
  }

  init(_ key: FunctionKey, world: any World) {
    self.key = key
    self.world = world
  }

  /// Opens the port on loopback, any free one for 0.
  /// - Returns: the port.
  func listen(port: Int, group: any EventLoopGroup) async throws -> Int {
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { channel in
        channel.pipeline.addHandler(DebugArrival { self.arrived($0, at: \.debuggers) })
      }
      .bind(host: "127.0.0.1", port: port).get()
    listener.withLock { $0 = channel }
    return channel.localAddress?.port ?? port
  }

  /// Takes calls of an environment, on its listener.
  func adopt(
    _ descriptor: CInt, of incarnation: RequestID, eventLoop: any EventLoop
  ) -> EventLoopFuture<any Channel> {
    ServerBootstrap(group: eventLoop)
      .childChannelInitializer { channel in
        channel.pipeline.addHandler(
          DebugArrival {
            if self.runs(incarnation) { self.arrived($0, at: \.environments) } else { $0.close(promise: nil) }
          })
      }
      .withBoundSocket(descriptor)
  }

  private func arrived(
    _ channel: any Channel, at place: any WritableKeyPath<Lines, [any Channel]> & Sendable
  ) {
    let pair = lines.withLock { lines -> (debugger: any Channel, environment: any Channel)? in
      guard !lines.isClosed, lines[keyPath: place].count < 16 else {
        channel.close(promise: nil)
        return nil
      }
      lines[keyPath: place].append(channel)
      guard !lines.debuggers.isEmpty, !lines.environments.isEmpty else { return nil }
      return (lines.debuggers.removeFirst(), lines.environments.removeLast())
    }
    channel.closeFuture.whenComplete { _ in
      self.lines.withLock { $0[keyPath: place].removeAll { $0 === channel } }
    }
    if let pair { connect(pair.debugger, pair.environment) }
  }

  private func connect(_ debugger: any Channel, _ environment: any Channel) {
    let both = debugger.pipeline.addHandler(DebugWire(to: environment)).and(
      environment.pipeline.addHandler(DebugWire(to: debugger)))
    both.whenSuccess { _ in
      // A byte tells the environment to go on to its debugger; it has said nothing before.
      environment.writeAndFlush(ByteBuffer(bytes: [1]), promise: nil)
      debugger.setOption(.autoRead, value: true).whenSuccess { debugger.read() }
    }
    both.whenFailure { _ in
      debugger.close(promise: nil)
      environment.close(promise: nil)
    }
  }

  /// The function as it runs in the session: alone, and apart from its other environments.
  func debugged(_ configuration: FunctionConfiguration) -> FunctionConfiguration {
    var debugged = configuration
    debugged.debugging = self
    let (own, isNew) = running.withLock { running in
      if let running, running.origin == configuration.incarnation { return (running.own, false) }
      let own = RequestID(from: world)
      running = (configuration.incarnation, own)
      return (own, true)
    }
    debugged.incarnation = own
    // Environments of code that was edited take no debugger any more.
    if isNew {
      let old = lines.withLock { lines in
        defer { lines.environments = [] }
        return lines.environments
      }
      for channel in old { channel.close(promise: nil) }
    }
    return debugged
  }

  /// True if an environment of that incarnation is wanted.
  func runs(_ incarnation: RequestID) -> Bool { running.withLock { $0?.own == incarnation } }

  func close() {
    listener.withLock { $0 }?.close(promise: nil)
    let waiting = lines.withLock { lines in
      lines.isClosed = true
      return lines.debuggers + lines.environments
    }
    for channel in waiting { channel.close(promise: nil) }
  }
}

extension DebugSession: Equatable {
  package static func == (a: DebugSession, b: DebugSession) -> Bool { a === b }
}

/// Says when a connection is there.
private final class DebugArrival: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = ByteBuffer
  private let body: @Sendable (any Channel) -> Void

  init(_ body: @escaping @Sendable (any Channel) -> Void) { self.body = body }

  func channelActive(context: ChannelHandlerContext) {
    body(context.channel)
    context.fireChannelActive()
  }
}

/// Passes what comes in on to another channel, no faster than that takes it.
private final class DebugWire: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer
  private let other: any Channel

  init(to other: any Channel) { self.other = other }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    other.writeAndFlush(unwrapInboundIn(data), promise: nil)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    other.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    other.close(promise: nil)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
