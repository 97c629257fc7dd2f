// One HTTP/1.1 connection of the server: collects a request, hands it over, writes the reply. Heads are written into a
// buffer and plain ones read from it without NIO's encoder and decoder, which cost several times as much.
import MartletCore
import NIOCore
import NIOHTTP1

/// Whoever answers the requests of a server.
package protocol HTTPResponder: AnyObject, Sendable {
  /// How many bytes of body this request may have. A longer body is read to its end, dropped, and the request handed
  /// over with `bodyExceedsLimit`, so that the caller can still read its error.
  func bodyLimit(for head: HTTPRequestHead) -> Int
  /// A file for a body that is too large for memory; nil = memory.
  func draft(for head: HTTPRequestHead) -> DraftFile?
  /// Who takes the body while it comes; nil = it is collected, and the request handed over whole.
  func receiver(for head: HTTPRequestHead, _ flow: () -> HTTPInflow) -> (any HTTPBodyReceiver)?
  /// Called on the connection's event loop. The answer goes to `exchange`, once, from any thread, now or much later.
  func respond(to request: HTTPRequest, _ exchange: HTTPExchange)
  /// The peer went away before its request was answered.
  func abandoned(_ exchange: HTTPExchange)
  /// The peer broke off in the middle of a request.
  func cutOff(_ head: HTTPRequestHead)
}

extension HTTPResponder {
  package func draft(for head: HTTPRequestHead) -> DraftFile? { nil }
  package func receiver(for head: HTTPRequestHead, _ flow: () -> HTTPInflow) -> (any HTTPBodyReceiver)? { nil }
  package func abandoned(_ exchange: HTTPExchange) {}
  package func cutOff(_ head: HTTPRequestHead) {}
}

/// The right to answer one request.
package struct HTTPExchange: Sendable, Equatable {
  fileprivate let connection: NIOLoopBound<HTTPConnection>
  fileprivate let serial: UInt64
  package let eventLoop: any EventLoop

  fileprivate init(_ connection: HTTPConnection, serial: UInt64, eventLoop: any EventLoop) {
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    self.serial = serial
    self.eventLoop = eventLoop
  }

  /// Answers. A connection that is gone meanwhile, or an exchange that was answered, ignores it.
  package func send(_ reply: HTTPReply) {
    if eventLoop.inEventLoop {
      connection.value.write(reply, for: serial)
    } else {
      eventLoop.execute { connection.value.write(reply, for: serial) }
    }
  }

  /// Answers with bytes that are a complete HTTP response already.
  package func send(raw response: ByteBuffer) {
    if eventLoop.inEventLoop {
      connection.value.write(raw: response, for: serial)
    } else {
      eventLoop.execute { connection.value.write(raw: response, for: serial) }
    }
  }

  /// A body up to this size is copied behind its head, so that both leave in one packet.
  package static let inlineBody = 16_384

  /// Answers with a complete head, and a body that is not copied if it is large.
  package func send(head: ByteBuffer, body: ByteBuffer) {
    if body.readableBytes <= HTTPExchange.inlineBody {
      var whole = head
      whole.writeImmutableBuffer(body)
      send(raw: whole)
    } else if eventLoop.inEventLoop {
      connection.value.write(raw: head, body: body, for: serial)
    } else {
      eventLoop.execute { connection.value.write(raw: head, body: body, for: serial) }
    }
  }

  /// Where the request came from; nil if the connection is gone. On the event loop.
  package var peerAddress: String? { connection.value.peerAddress }

  package static func == (a: HTTPExchange, b: HTTPExchange) -> Bool {
    a.serial == b.serial
  }
}

package final class HTTPConnection: ChannelInboundHandler {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  /// A request whose bytes stop coming for this long is cut off.
  static let stallLimit = TimeAmount.seconds(60)

  private let responder: any HTTPResponder
  private let use: HTTPUse?
  private var context: ChannelHandlerContext?
  private var knownPeer: String?
  /// The beginning of a head, and in how many pieces it came.
  private var begun: (bytes: ByteBuffer, pieces: Int)?
  /// How much of a plain request's body is still to come.
  private var bodyLeft = 0
  private var head: HTTPRequestHead?
  /// The peer wants to go on after the request that is being read.
  private var headKeepsAlive = true
  private var body = ByteBuffer()
  /// In the place of `body`.
  private var spool: HTTPSpool?
  /// A body has come to its end, and is being written.
  private var isSpooling = false
  private var limit = 0
  private var exceeded = false
  /// In the place of `body` and `spool`.
  private var receiver: (any HTTPBodyReceiver)?
  private var receiverSerial: UInt64 = 0
  /// Where the body of the answer under way comes from.
  private var source: (any HTTPBodySource)?
  private var isPumping = false
  private var pumpsAgain = false
  private var sendsChunks = true
  private var exchange: HTTPExchange?
  private var keepsAlive = true
  private var answersHead = false
  /// Requests that came in before the one ahead of them was answered (pipelining).
  private var waiting: [HTTPRequest] = []
  private var stall: Scheduled<Void>?
  /// Some of a body came since the last look.
  private var hasProgress = false
  private var ended = false
  private var isPaused = false
  private var isLast = false

  package init(responder: any HTTPResponder, use: HTTPUse? = nil) {
    self.responder = responder
    self.use = use
  }

  package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    read(unwrapInboundIn(data), context)
  }

  /// Reads plain requests. A peer that is gone in the middle of it has nothing more to say.
  private func read(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    var (bytes, pieces) = (bytes, 0)
    if let before = begun {
      begun = nil
      var joined = before.bytes
      joined.writeBuffer(&bytes)
      (bytes, pieces) = (joined, before.pieces)
    }
    while bytes.readableBytes > 0, self.context != nil {
      if bodyLeft > 0 {
        guard var part = bytes.readSlice(length: min(bodyLeft, bytes.readableBytes)) else { return }
        bodyLeft -= part.readableBytes
        collect(&part)
      } else {
        switch HTTPPlainHead(bytes) {
        case .head(let head, let size, let length, let keepsAlive):
          bytes.moveReaderIndex(forwardBy: size)
          bodyLeft = length
          headKeepsAlive = keepsAlive
          begin(head, context)
        case .incomplete where pieces < HTTPConnection.mostPieces:
          begun = (bytes, pieces + 1)
          return
        case .incomplete, .unusual: return decode(bytes, context)
        }
      }
      if bodyLeft == 0, self.context != nil { finish(nil, context) }
    }
  }

  /// A head that comes in more pieces than this is not plain: each time it would be read anew.
  private static let mostPieces = 8

  /// From here on NIO's decoder reads what comes.
  private func decode(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
    let pipeline = context.pipeline.syncOperations
    do {
      try pipeline.addHandlers(decoder, DecodedParts(self), position: .before(self))
      decoder.channelRead(context: try pipeline.context(handler: decoder), data: NIOAny(bytes))
    } catch {
      context.close(promise: nil)
    }
  }

  fileprivate func take(_ part: HTTPServerRequestPart) {
    guard let context else { return }
    switch part {
    case .head(let head):
      headKeepsAlive = head.isKeepAlive
      begin(head, context)
    case .body(var part): collect(&part)
    case .end(let trailers): finish(trailers, context)
    }
  }

  package func channelReadComplete(context: ChannelHandlerContext) {
    if head == nil || receiver != nil {
      // Whoever takes a body piece by piece knows how long that may last.
      stall?.cancel()
      stall = nil
    } else if stall == nil {
      watch(context)
    }
    context.fireChannelReadComplete()
  }

  /// Cuts the peer off unless something of its request comes within the limit, again and again: large bodies may take
  /// their time. While the server itself does not read, nobody is late.
  private func watch(_ context: ChannelHandlerContext) {
    hasProgress = false
    stall = context.eventLoop.assumeIsolated().scheduleTask(in: HTTPConnection.stallLimit) {
      guard let context = self.context else { return }
      if self.hasProgress || self.isPaused { self.watch(context) } else { context.close(promise: nil) }
    }
  }

  /// The peer reads again: what waits may be answered.
  package func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      if let exchange, source != nil { pump(exchange.serial) }
      proceed(context)
    }
    context.fireChannelWritabilityChanged()
  }

  /// The server stops: no further request after this one.
  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is HTTPQuiescence else { return context.fireUserInboundEventTriggered(event) }
    isLast = true
    if exchange == nil, waiting.isEmpty {
      let channel = context.channel
      context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }
  }

  package func channelInactive(context: ChannelHandlerContext) {
    stall?.cancel()
    breakOff()
    self.context = nil
    waiting.removeAll()
    if let source {
      self.source = nil
      source.cancel()
    }
    if let exchange {
      self.exchange = nil
      responder.abandoned(exchange)
    }
  }

  private func breakOff() {
    use?.give(body.readableBytes)
    body = ByteBuffer()
    spool = nil
    guard let head else { return }
    self.head = nil
    if let receiver {
      self.receiver = nil
      receiver.cutOff()
    } else {
      responder.cutOff(head)
    }
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    breakOff()
    if error is HTTPParserError, exchange == nil, !ended {
      ended = true
      var reply = HTTPReply(status: 400, headers: [("Content-Type", "application/json")])
      reply.body = ByteBuffer(string: #"{"message":"Bad Request"}"#)
      reply.closes = true
      emit(reply, context)
    } else {
      context.close(promise: nil)
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    self.head = head
    exceeded = false
    // The next request comes before this one is answered: no more is read until then.
    if exchange != nil || !waiting.isEmpty || isSpooling { pause(context, true) }
    if exchange == nil, waiting.isEmpty, !isSpooling {
      receiver = responder.receiver(for: head) {
        receiverSerial = HTTPSerial.next()
        return HTTPInflow(self, serial: receiverSerial, eventLoop: context.eventLoop)
      }
    }
    guard receiver == nil else { return permit(head, context) }
    limit = responder.bodyLimit(for: head)
    if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }) {
      exceeded = length > limit
    }
    if !exceeded, let draft = responder.draft(for: head) {
      // Nobody sends a second request behind a large one before it is answered.
      guard exchange == nil, waiting.isEmpty else { return context.close(promise: nil) }
      spool = HTTPSpool(draft, eventLoop: context.eventLoop)
      spool?.drained = { [weak self] in
        guard let self, let context = self.context, !self.isSpooling else { return }
        self.pause(context, false)
      }
    }
    permit(head, context)
  }

  private func permit(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    if head.headers.first(name: "expect")?.lowercased() == "100-continue", exchange == nil {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }
  }

  private func collect(_ part: inout ByteBuffer) {
    hasProgress = true
    if let receiver { return receiver.receive(part) }
    guard !exceeded else { return }
    if let spool {
      spool.append(&part)
      exceeded = spool.size > limit
      if exceeded { self.spool = nil }
      if let context, spool.isFull, !exceeded { pause(context, true) }
      return
    }
    let isWanted = body.readableBytes + part.readableBytes <= limit
    if !isWanted || use?.take(part.readableBytes) == false {
      exceeded = true
      use?.give(body.readableBytes)
      body = ByteBuffer()
    } else if body.capacity == 0 {
      body = part
    } else {
      body.writeBuffer(&part)
    }
  }

  private func finish(_ trailers: HTTPHeaders?, _ context: ChannelHandlerContext) {
    guard let head else { return }
    self.head = nil
    if let receiver {
      self.receiver = nil
      let exchange = open(keepsAlive: headKeepsAlive, head.method, context)
      return receiver.end(trailers: trailers ?? [:], exchange)
    }
    if let spool { return finish(spool, head, context) }
    var request = HTTPRequest(
      method: head.method, uri: head.uri, headers: head.headers, body: body, bodyExceedsLimit: exceeded)
    request.trailers = trailers
    request.version = head.version
    use?.give(body.readableBytes)
    body = ByteBuffer()
    if exchange != nil || !waiting.isEmpty || isSpooling {
      waiting.append(request)
      if waiting.count > 64 { context.close(promise: nil) }
    } else {
      hand(request, keepsAlive: headKeepsAlive, context)
    }
  }

  private func finish(_ spool: HTTPSpool, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    self.spool = nil
    isSpooling = true
    let keepsAlive = headKeepsAlive
    spool.finish { result in
      self.isSpooling = false
      guard let context = self.context else { return }
      var request = HTTPRequest(method: head.method, uri: head.uri, headers: head.headers, body: ByteBuffer())
      switch result {
      case .success(let file): request.file = file
      case .failure(let fault): request.fault = fault
      }
      self.hand(request, keepsAlive: keepsAlive, context)
    }
  }

  private func hand(_ request: HTTPRequest, keepsAlive: Bool, _ context: ChannelHandlerContext) {
    sendsChunks = request.version != .http1_0
    responder.respond(to: request, open(keepsAlive: keepsAlive, request.method, context))
  }

  private func open(keepsAlive: Bool, _ method: HTTPMethod, _ context: ChannelHandlerContext) -> HTTPExchange {
    self.keepsAlive = keepsAlive
    answersHead = method == .HEAD
    let exchange = HTTPExchange(self, serial: HTTPSerial.next(), eventLoop: context.eventLoop)
    self.exchange = exchange
    return exchange
  }

  fileprivate func write(_ reply: HTTPReply, for serial: UInt64) {
    guard let context, let exchange, exchange.serial == serial, source == nil else {
      reply.stream?.cancel()
      return
    }
    if let stream = reply.stream {
      if !isBodiless(reply) { return begin(reply, stream, context) }
      stream.cancel()
    }
    self.exchange = nil
    emit(reply, context)
    proceed(context)
  }

  fileprivate func write(raw response: ByteBuffer, body: ByteBuffer? = nil, for serial: UInt64) {
    guard let context, let exchange, exchange.serial == serial, source == nil else { return }
    self.exchange = nil
    var response = response
    if let body {
      context.write(wrapOutboundOut(response), promise: nil)
      response = body
    }
    if keepsAlive, !isLast {
      context.writeAndFlush(wrapOutboundOut(response), promise: nil)
    } else {
      ended = true
      let channel = context.channel
      context.writeAndFlush(wrapOutboundOut(response)).whenComplete { _ in channel.close(promise: nil) }
    }
    proceed(context)
  }

  /// Takes up the next request, if the peer has read enough of the answers before.
  private func proceed(_ context: ChannelHandlerContext) {
    guard !ended, exchange == nil, receiver == nil, !isSpooling, context.channel.isWritable else { return }
    if waiting.isEmpty {
      pause(context, false)
    } else {
      hand(waiting.removeFirst(), keepsAlive: true, context)
    }
  }

  private func pause(_ context: ChannelHandlerContext, _ paused: Bool) {
    guard paused != isPaused else { return }
    isPaused = paused
    try? context.channel.syncOptions?.setOption(.autoRead, value: !paused)
  }

  /// Made into text once: every request asks for it.
  fileprivate var peerAddress: String? {
    if knownPeer == nil { knownPeer = context?.remoteAddress?.ipAddress }
    return knownPeer
  }

  // MARK: - Bodies in pieces

  /// A receiver has enough for now, or can take more.
  func hold(_ isHeld: Bool, for serial: UInt64) {
    guard receiver != nil, receiverSerial == serial, let context else { return }
    pause(context, isHeld)
  }

  private func begin(_ reply: HTTPReply, _ source: any HTTPBodySource, _ context: ChannelHandlerContext) {
    guard let exchange else { return }
    self.source = source
    var buffer = context.channel.allocator.buffer(capacity: 512)
    HTTPReplyHead.write(
      reply, framing: sendsChunks ? .chunked : .untilClose, closes: closes(after: reply), into: &buffer)
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    keepsAlive = !closes(after: reply)
    pump(exchange.serial)
  }

  /// Answers that end with their heads.
  private func isBodiless(_ reply: HTTPReply) -> Bool { answersHead || reply.status == 204 || reply.status == 304 }

  private func closes(after reply: HTTPReply) -> Bool {
    reply.closes || !keepsAlive || (isLast && waiting.isEmpty) || (reply.stream != nil && !sendsChunks)
  }

  func wantsMore(_ serial: UInt64) -> Bool {
    guard let context, source != nil, exchange?.serial == serial else { return false }
    return context.channel.isWritable
  }

  /// Lets the source write. What it writes leaves at once: somebody may wait for it.
  func pump(_ serial: UInt64) {
    guard source != nil, exchange?.serial == serial else { return }
    pumpsAgain = true
    guard !isPumping else { return }
    isPumping = true
    while pumpsAgain, let context, let source, exchange?.serial == serial {
      pumpsAgain = false
      source.pump(HTTPOutflow(self, serial: serial, eventLoop: context.eventLoop))
      context.flush()
    }
    isPumping = false
  }

  func write(piece parts: [ByteBuffer], for serial: UInt64) {
    guard let context, source != nil, exchange?.serial == serial else { return }
    let size = parts.reduce(0) { $0 + $1.readableBytes }
    guard size > 0 else { return }
    var buffer = context.channel.allocator.buffer(capacity: 32 + (size <= HTTPExchange.inlineBody ? size : 0))
    if sendsChunks {
      buffer.writeString(String(size, radix: 16))
      buffer.writeStaticString("\r\n")
    }
    for part in parts {
      if part.readableBytes <= HTTPExchange.inlineBody / 4 {
        buffer.writeImmutableBuffer(part)
      } else {
        if buffer.readableBytes > 0 { context.write(wrapOutboundOut(buffer), promise: nil) }
        context.write(wrapOutboundOut(part), promise: nil)
        buffer.clear(minimumCapacity: 0)
      }
    }
    if sendsChunks { buffer.writeStaticString("\r\n") }
    if buffer.readableBytes > 0 { context.write(wrapOutboundOut(buffer), promise: nil) }
  }

  func endBody(isWhole: Bool, for serial: UInt64) {
    guard let context, source != nil, exchange?.serial == serial else { return }
    source = nil
    exchange = nil
    let last = ByteBuffer(string: isWhole && sendsChunks ? "0\r\n\r\n" : "")
    if isWhole, keepsAlive, !isLast || !waiting.isEmpty {
      context.writeAndFlush(wrapOutboundOut(last), promise: nil)
      proceed(context)
    } else {
      ended = true
      let channel = context.channel
      context.writeAndFlush(wrapOutboundOut(last)).whenComplete { _ in channel.close(promise: nil) }
    }
  }

  /// The kernel copies from the file to the socket.
  private func write(_ body: HTTPReply.FileBody, _ context: ChannelHandlerContext) {
    let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: body.file.descriptor)
    let region = FileRegion(
      fileHandle: handle, readerIndex: body.range.lowerBound, endIndex: body.range.upperBound)
    context.write(NIOAny(IOData.fileRegion(region))).whenComplete { _ in
      // The descriptor is the file's, which must live until here.
      withExtendedLifetime(body.file) { _ = try? handle.takeDescriptorOwnership() }
    }
  }

  private func emit(_ reply: HTTPReply, _ context: ChannelHandlerContext) {
    let closes = closes(after: reply)
    var buffer = context.channel.allocator.buffer(capacity: 256 + min(reply.body.readableBytes, 4096))
    HTTPReplyHead.write(reply, closes: closes, into: &buffer)
    let hasBody = !isBodiless(reply)
    let body = hasBody ? reply.body : ByteBuffer()
    if hasBody, let file = reply.file, !file.range.isEmpty {
      context.write(wrapOutboundOut(buffer), promise: nil)
      write(file, context)
    } else if body.readableBytes <= 4096 {
      buffer.writeImmutableBuffer(body)
      context.write(wrapOutboundOut(buffer), promise: nil)
    } else {
      context.write(wrapOutboundOut(buffer), promise: nil)
      context.write(wrapOutboundOut(body), promise: nil)
    }
    if closes {
      ended = true
      let channel = context.channel
      context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    } else {
      context.flush()
    }
  }
}

/// Stands between NIO's decoder and a connection whose requests are not plain.
private final class DecodedParts: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  private let connection: HTTPConnection

  init(_ connection: HTTPConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.take(unwrapInboundIn(data)) }
}
