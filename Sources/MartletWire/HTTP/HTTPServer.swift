// Listens, or adopts a socket that already listens, and puts an HTTPConnection on whatever comes in.
import MartletCore
import NIOCore
import NIOHTTP1
import NIOPosix

package enum HTTPServer {
  /// Binds `host:port` and serves until the listener is closed.
  package static func listen(
    host: String, port: Int, group: MultiThreadedEventLoopGroup, responder: any HTTPResponder
  ) async throws -> HTTPListener {
    let connections = HTTPConnections()
    let bootstrap = bootstrap(group: group, childGroup: group, responder: responder, connections: connections)
    return HTTPListener(channel: try await bootstrap.bind(host: host, port: port).get(), connections: connections)
  }

  /// What the peers of one listener may make the server hold.
  package struct Limits: Sendable {
    /// Open at the same time; one more is closed at once.
    let connections: Int
    /// Bodies on their way in, all together; what is beyond is dropped, and its request handed over without a body.
    let bodies: ByteCount

    package init(connections: Int, bodies: ByteCount) {
      self.connections = connections
      self.bodies = bodies
    }
  }

  /// Adopts a listening descriptor, perhaps of another network namespace; connections stay on `eventLoop`.
  package static func adopt(
    descriptor: CInt, eventLoop: any EventLoop, responder: any HTTPResponder, limits: Limits
  ) -> EventLoopFuture<any Channel> {
    let use = NIOLoopBoundBox.makeBoxSendingValue(HTTPUse(limits), eventLoop: eventLoop)
    return bootstrap(group: eventLoop, childGroup: eventLoop, responder: responder, use: use).withBoundSocket(
      descriptor)
  }

  private static func bootstrap(
    group: any EventLoopGroup, childGroup: any EventLoopGroup, responder: any HTTPResponder,
    use: NIOLoopBoundBox<HTTPUse>? = nil, connections: HTTPConnections? = nil
  ) -> ServerBootstrap {
    ServerBootstrap(group: group, childGroup: childGroup)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 16)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          connections?.add(channel)
          if let use {
            guard use.value.addConnection() else { throw ChannelError.ioOnClosedChannel }
            channel.closeFuture.whenComplete { _ in use.value.connections -= 1 }
          }
          try channel.pipeline.syncOperations.addHandler(HTTPConnection(responder: responder, use: use?.value))
        }
      }
  }
}
