// A small HTTP/1.1 client: what the command line speaks to its server with, and services to remote endpoints.
import MartletCore
import NIOCore
import NIOHTTP1
import NIOPosix

/// Encrypts connections. Lives in a target of its own, so that nothing else needs a TLS library.
package protocol TransportSecurity: Sendable {
  /// Called on the channel's event loop before anything else is in its pipeline.
  func secure(_ channel: any Channel, host: String) throws
  /// What went wrong, for people; nil for an error that is none of its own.
  func words(_ error: any Error) -> String?
}

package struct HTTPClient: Sendable {
  /// How long is waited.
  package struct Patience: Sendable {
    package var connect = Duration.seconds(5)
    /// Between two pieces of an answer, and before its first.
    package var silence = Duration.seconds(30)

    package init() {}
  }

  let group: MultiThreadedEventLoopGroup
  let address: HTTPAddress
  let patience: Patience
  let security: (any TransportSecurity)?

  /// - Parameter security: for addresses that begin with `https`.
  package init(
    _ address: HTTPAddress, patience: Patience = Patience(), security: (any TransportSecurity)? = nil,
    group: MultiThreadedEventLoopGroup = .singleton
  ) {
    self.group = group
    self.address = address
    self.patience = patience
    self.security = security
  }

  /// One request on a connection of its own; its answer whole.
  /// - Throws: a `Fault` if there is no server, it is silent for too long, or its answer breaks off.
  package func send(
    _ method: HTTPMethod, _ uri: String, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()
  ) async throws(Fault) -> HTTPReply {
    try await exchange(method, uri, headers, body) { _ in nil }
  }

  /// One request whose answer may be large.
  /// - Parameter draft: looks at the head of the answer and says where its body goes; nil = into memory. On the event
  ///   loop.
  /// - Returns: a reply whose `file` is the body if a draft was given.
  package func fetch(
    _ method: HTTPMethod, _ uri: String, headers: HTTPHeaders = [:],
    into draft: @escaping @Sendable (HTTPReply) throws(Fault) -> DraftFile?
  ) async throws(Fault) -> HTTPReply {
    try await exchange(method, uri, headers, ByteBuffer(), draft)
  }

  private func exchange(
    _ method: HTTPMethod, _ uri: String, _ headers: HTTPHeaders, _ body: ByteBuffer,
    _ draft: @escaping @Sendable (HTTPReply) throws(Fault) -> DraftFile?
  ) async throws(Fault) -> HTTPReply {
    var head = HTTPRequestHead(version: .http1_1, method: method, uri: uri)
    head.headers = headers
    head.headers.replaceOrAdd(name: "Host", value: address.hostHeader)
    if body.readableBytes > 0 || (method != .GET && method != .HEAD) {
      head.headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
    }
    head.headers.replaceOrAdd(name: "Connection", value: "close")
    do {
      if address.isSecure, security == nil { throw Fault("HTTPS", "this program speaks no TLS") }
      let promise = group.next().makePromise(of: HTTPReply.self)
      let channel = try await connect(promise, draft)
      channel.write(HTTPClientRequestPart.head(head), promise: nil)
      channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
      channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
      let reply = try await withTaskCancellationHandler {
        try await promise.futureResult.get()
      } onCancel: {
        channel.close(promise: nil)
      }
      try? await channel.close()
      return reply
    } catch let fault as Fault {
      throw fault
    } catch {
      throw Fault("HTTP to \(address)", security?.words(error) ?? HTTPClient.words(error))
    }
  }

  private func connect(
    _ promise: EventLoopPromise<HTTPReply>, _ draft: @escaping @Sendable (HTTPReply) throws(Fault) -> DraftFile?
  ) async throws -> any Channel {
    let silence = TimeAmount(patience.silence)
    let (address, security) = (address, security)
    let connected = ClientBootstrap(group: group)
      .connectTimeout(TimeAmount(patience.connect))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if address.isSecure { try security?.secure(channel, host: address.host) }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(IdleStateHandler(readTimeout: silence))
          try pipeline.addHTTPClientHandlers()
          try pipeline.addHandler(ReplyCollector(promise: promise, draft: draft))
        }
      }
      .connect(host: address.host, port: address.port)
    connected.whenFailure { promise.fail($0) }
    return try await connected.get()
  }

  /// What went wrong, for people.
  private static func words(_ error: any Error) -> String {
    switch error {
    case let failure as NIOConnectionError:
      return failure.connectionErrors.last.map { words($0.error) } ?? "there is no host of that name"
    case let failure as IOError: return systemErrorPhrase(failure.errnoCode)
    case ChannelError.connectTimeout: return "nobody answers there"
    default: return "\(error)"
    }
  }
}

private final class ReplyCollector: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  private var promise: EventLoopPromise<HTTPReply>?
  private let draft: @Sendable (HTTPReply) throws(Fault) -> DraftFile?
  private var reply = HTTPReply(status: 0)
  private var file: DraftFile?

  init(promise: EventLoopPromise<HTTPReply>, draft: @escaping @Sendable (HTTPReply) throws(Fault) -> DraftFile?) {
    self.promise = promise
    self.draft = draft
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard promise != nil else { return }
    do throws(Fault) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        // What is said before the answer, such as 100 Continue.
        guard head.status.code >= 200 else { return }
        reply = HTTPReply(status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) })
        file = try draft(reply)
      case .body(var part):
        if let file {
          try part.readWithUnsafeReadableBytes { raw -> (Int, Result<Void, Fault>) in
            (raw.count, Result { () throws(Fault) in try file.append(raw) })
          }.get()
        } else {
          reply.body.writeBuffer(&part)
        }
      case .end:
        guard reply.status != 0 else { return }
        if let file {
          let whole = file.finish()
          reply.file = HTTPReply.FileBody(file: whole, range: 0..<whole.size)
        }
        finish(.success(reply))
      }
    } catch {
      finish(.failure(error))
      context.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
    finish(.failure(Fault("HTTP answer", "the server was silent for too long")))
    context.close(promise: nil)
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
