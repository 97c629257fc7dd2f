// Listens, or adopts a socket that already listens, and puts an HTTPConnection on whatever comes in.
import MartletCore
import NIOCore
import NIOHTTP1
import NIOPosix

package enum HTTPServer {
  /// Binds `host:port` and serves until the channel is closed.
  package static func listen(
    host: String, port: Int, group: MultiThreadedEventLoopGroup, responder: any HTTPResponder
  ) async throws -> any Channel {
    try await bootstrap(group: group, childGroup: group, responder: responder).bind(host: host, port: port).get()
  }

  /// Adopts a listening descriptor, perhaps of another network namespace; connections stay on `eventLoop`.
  package static func adopt(
    descriptor: CInt, eventLoop: any EventLoop, responder: any HTTPResponder
  ) -> EventLoopFuture<any Channel> {
    bootstrap(group: eventLoop, childGroup: eventLoop, responder: responder).withBoundSocket(descriptor)
  }

  private static func bootstrap(
    group: any EventLoopGroup, childGroup: any EventLoopGroup, responder: any HTTPResponder
  ) -> ServerBootstrap {
    ServerBootstrap(group: group, childGroup: childGroup)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 16)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
            HTTPConnection(responder: responder))
        }
      }
  }
}
