// Brings events to one subscriber inside of the environment, in batches, one at a time. Lives on the event loop.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import NIOPosix

final class TelemetryDelivery {
  let subscription: TelemetrySubscription
  private let eventLoop: any EventLoop
  private let world: any World
  /// Connects to a port inside of the environment.
  private let connect: (Int) -> EventLoopFuture<CInt>
  private var buffer: TelemetryBuffer
  private var isSending = false
  private var isPaused = false
  private var isFlushing = false
  private var hasEnded = false
  /// Attempts to send the batch under way that failed.
  private var failures = 0
  private var timer: Scheduled<Void>?
  /// The connection of a subscriber over TCP.
  private var stream: (any Channel)?

  /// A batch is tried so often, with pauses that double from the first.
  private static let attempts = 6
  private static let firstPause = TimeAmount.milliseconds(100)

  init(
    _ subscription: TelemetrySubscription, eventLoop: any EventLoop, world: any World,
    connect: @escaping (Int) -> EventLoopFuture<CInt>
  ) {
    self.subscription = subscription
    self.eventLoop = eventLoop
    self.world = world
    self.connect = connect
    buffer = TelemetryBuffer(subscription.buffering)
  }

  func add(_ event: TelemetryEvent) {
    guard !hasEnded, let bytes = event.encoded(for: subscription) else { return }
    buffer.append(bytes, now: world.monotonic())
    proceed()
  }

  func pause(_ isPaused: Bool) {
    self.isPaused = isPaused
    if !isPaused { proceed() }
  }

  func flush() {
    isFlushing = true
    proceed()
    if !isSending { isFlushing = false }
  }

  func end() {
    hasEnded = true
    timer?.cancel()
    timer = nil
    stream?.close(promise: nil)
    stream = nil
  }

  /// Sends the next batch if it is due, or waits until it is.
  private func proceed() {
    guard !hasEnded, !isSending, !isPaused, let due = buffer.due else { return }
    let now = world.monotonic()
    if isFlushing || due <= now {
      timer?.cancel()
      timer = nil
      let loss = lossEvent()
      send((loss.map { [$0] } ?? []) + buffer.take(now: now))
    } else if timer == nil {
      let this = NIOLoopBound(self, eventLoop: eventLoop)
      timer = eventLoop.scheduleTask(in: .nanoseconds(Int64(due - now))) {
        this.value.timer = nil
        this.value.proceed()
      }
    }
  }

  private func lossEvent() -> ByteBuffer? {
    guard let loss = buffer.takeLoss() else { return nil }
    let record = PlatformRecord.logsDropped(loss, subscription.api)
    return TelemetryEvent(time: world.now(), category: .platform, payload: .platform(record)).encoded(for: subscription)
  }

  private func send(_ batch: [ByteBuffer]) {
    isSending = true
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let sent: EventLoopFuture<Void> =
      switch subscription.destination {
      case .http(let method, let port, let path): post(batch, method, port, path)
      case .tcp(let port): write(batch, port)
      }
    sent.whenComplete { result in
      switch result {
      case .success: this.value.sent()
      case .failure: this.value.failed(batch)
      }
    }
  }

  private func sent() {
    isSending = false
    failures = 0
    if buffer.due == nil {
      isFlushing = false
      // Told even if nothing comes after it.
      if let loss = lossEvent() { buffer.append(loss, now: world.monotonic()) }
    }
    proceed()
  }

  private func failed(_ batch: [ByteBuffer]) {
    failures += 1
    guard !hasEnded, failures < TelemetryDelivery.attempts else {
      buffer.lose(batch)
      return sent()
    }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let pause = TelemetryDelivery.firstPause * (1 << (failures - 1))
    eventLoop.scheduleTask(in: pause) { if !this.value.hasEnded { this.value.send(batch) } }
  }

  // MARK: - HTTP: one request with an array

  private func post(_ batch: [ByteBuffer], _ method: String, _ port: Int, _ path: String) -> EventLoopFuture<Void> {
    var body = ByteBuffer(string: "[")
    for (index, event) in batch.enumerated() {
      if index > 0 { body.writeStaticString(",") }
      body.writeImmutableBuffer(event)
    }
    body.writeStaticString("]")
    var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path)
    head.headers = [
      "Host": "sandbox.localdomain:\(port)", "Content-Type": "application/json",
      "Content-Length": String(body.readableBytes), "Connection": "close",
    ]
    let (request, content) = (head, body)
    let answer = eventLoop.makePromise(of: Void.self)
    let group = eventLoop
    connect(port).flatMap { descriptor in
      ClientBootstrap(group: group)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(AnswerReader(answer))
          }
        }
        .withConnectedSocket(descriptor)
    }.whenComplete { result in
      switch result {
      case .failure(let error): answer.fail(error)
      case .success(let channel):
        channel.write(HTTPClientRequestPart.head(request), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(content)), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
      }
    }
    return answer.futureResult
  }

  // MARK: - TCP: one connection, one event to a line

  private func write(_ batch: [ByteBuffer], _ port: Int) -> EventLoopFuture<Void> {
    var lines = ByteBuffer()
    for event in batch {
      lines.writeImmutableBuffer(event)
      lines.writeStaticString("\n")
    }
    let text = lines
    if let stream, stream.isActive { return stream.writeAndFlush(text) }
    let this = NIOLoopBound(self, eventLoop: eventLoop)
    let group = eventLoop
    return connect(port).flatMap { ClientBootstrap(group: group).withConnectedSocket($0) }.flatMap { channel in
      if this.value.hasEnded { channel.close(promise: nil) } else { this.value.stream = channel }
      return channel.writeAndFlush(text)
    }
  }
}

/// Waits for the end of one answer.
private final class AnswerReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  private var answer: EventLoopPromise<Void>?
  private var status = 0

  init(_ answer: EventLoopPromise<Void>) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = Int(head.status.code)
    case .body: break
    case .end:
      finish((200..<300).contains(status) ? nil : Fault("subscriber", "it answered \(status)"))
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { finish(Fault("subscriber", "it closed the connection")) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    finish(Fault("subscriber", "\(error)"))
    context.close(promise: nil)
  }

  private func finish(_ fault: Fault?) {
    if let fault { answer?.fail(fault) } else { answer?.succeed() }
    answer = nil
  }
}
