// A small HTTP/1.1 client without TLS: what the command line uses to speak to its server.
import MartletCore
import NIOCore
import NIOHTTP1
import NIOPosix

package struct HTTPClient: Sendable {
  let group: MultiThreadedEventLoopGroup
  let host: String
  let port: Int

  package init(host: String, port: Int, group: MultiThreadedEventLoopGroup = .singleton) {
    self.group = group
    self.host = host
    self.port = port
  }

  /// One request on a connection of its own. Throws if there is no server or the answer breaks off.
  package func send(
    _ method: HTTPMethod, _ uri: String, headers: [(String, String)] = [], body: ByteBuffer = ByteBuffer()
  ) async throws -> HTTPReply {
    let promise = group.next().makePromise(of: HTTPReply.self)
    let connected = ClientBootstrap(group: group)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(ReplyCollector(promise: promise))
        }
      }
      .connect(host: host, port: port)
    connected.whenFailure { promise.fail($0) }
    let channel = try await connected.get()
    var head = HTTPRequestHead(version: .http1_1, method: method, uri: uri)
    head.headers.add(name: "Host", value: "\(host):\(port)")
    head.headers.add(name: "Content-Length", value: String(body.readableBytes))
    head.headers.add(name: "Connection", value: "close")
    for (name, value) in headers { head.headers.replaceOrAdd(name: name, value: value) }
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    let reply = try await promise.futureResult.get()
    try? await channel.close()
    return reply
  }
}

private final class ReplyCollector: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  private var promise: EventLoopPromise<HTTPReply>?
  private var reply = HTTPReply(status: 0)

  init(promise: EventLoopPromise<HTTPReply>) { self.promise = promise }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      reply = HTTPReply(status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) })
    case .body(var part): reply.body.writeBuffer(&part)
    case .end: finish(.success(reply))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish(.failure(Fault("HTTP answer", "the connection was closed before the answer was complete")))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    finish(.failure(error))
    context.close(promise: nil)
  }

  private func finish(_ result: Result<HTTPReply, any Error>) {
    promise?.completeWith(result)
    promise = nil
  }
}
