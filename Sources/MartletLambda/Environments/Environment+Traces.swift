// What an environment does for traces: it notes when things are, tells of them at the end, and is the X-Ray daemon.
import Glibc
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore
import NIOHTTP1
import NIOPosix

extension Environment {
  // MARK: - Invocations

  /// The time of a traced invocation begins.
  func beginTrace(_ work: Work, _ live: Live) {
    if let duration = live.initDuration, live.concurrent == nil {
      work.initialised = (live.initStarted, duration.count)
      work.coldStart = work.coldStart ?? origin
    }
    if let trace = work.invocation.trace { live.kept?.note(work.invocation.requestID, trace) }
    listen(live)
  }

  /// A runtime is started inside of an invocation, because the one before is no more.
  func noteRestart(_ work: Work, _ live: Live) {
    let reason = live.loss ?? .exited
    live.loss = nil
    work.coldStart = reason
    parts.metrics?.note(coldStart: reason, of: configuration)
  }

  /// The function has failed by its own account.
  func noteError(_ work: Work, _ body: RuntimeAPI.Body, _ cause: String?) {
    guard case .whole(let payload, _) = body else { return }
    work.errorCause = InvocationTrace.Cause(document: cause, payload: payload)
  }

  /// A traced invocation is over.
  func tellTrace(_ trace: InvocationTrace, _ work: Work, _ failure: FunctionFailure?) {
    guard let traces = parts.traces else { return }
    let now = parts.world.monotonic()
    // One that ends before it began has taken no time.
    let started = work.started == 0 ? now : work.started
    let course = InvocationTrace.Course(
      end: parts.world.now(), started: now &- started,
      answered: work.answer.map { now &- $0.moment },
      initialised: work.initialised.map { (now &- $0.start, $0.duration) },
      isRestored: live.value.restored != nil,
      isFault: failure != nil || work.answer?.errorType != nil,
      failure: failure.map { ($0.type, $0.message) } ?? work.answer?.errorType.map { ($0, "") },
      cause: work.errorCause, stream: logStream, coldStart: work.coldStart)
    traces.take(trace.parcel(work.invocation, configuration, course))
  }

  // MARK: - The daemon

  /// Tells the listeners on 127.0.0.1 from the sockets on the link-local address, which come after them.
  func split<Element>(_ all: [Element]) -> (ports: [Element], links: [Element]) {
    let links = specification.linkPorts.count
    guard all.count >= specification.ports.count + links else { return (all, []) }
    return (Array(all.dropLast(links)), Array(all.suffix(links)))
  }

  /// Takes the daemon's sockets. What comes to its UDP port is read from the first traced invocation on, so that nobody
  /// else pays for it.
  func adopt(links: [CInt]) {
    let live = live.value
    closeDaemon(live)
    for (link, socket) in zip(specification.linkPorts, links) {
      if link.isDatagram {
        live.daemon = socket
      } else if let traces = parts.traces {
        keep(
          HTTPServer.adopt(
            descriptor: socket, eventLoop: eventLoop,
            responder: DaemonFront(traces, configuration.place, eventLoop: eventLoop),
            limits: RuntimeAPI.connectionLimits(nil)))
      } else {
        close(socket)
      }
    }
    // A sandbox that was reset without keeping its network has a new socket.
    if live.machine.work?.invocation.trace != nil { listen(live) }
  }

  func closeDaemon(_ live: Live) {
    if let socket = live.daemon { close(socket) }
    live.daemon = nil
  }

  private func listen(_ live: Live) {
    guard let socket = live.daemon, let traces = parts.traces else { return }
    live.daemon = nil
    let place = configuration.place
    let source = TraceParcel.Source(group: configuration.logging.group, stream: logStream)
    let adopted = DatagramBootstrap(group: eventLoop)
      .channelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: DatagramReader.largest)
      )
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(DatagramReader(traces, place, source))
        }
      }
      .withBoundSocket(socket)
    keep(adopted)
  }
}

/// Hands over what programs send to the daemon.
private final class DatagramReader: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  /// The largest datagram there can be.
  static let largest = 65_536

  private let traces: any TraceSink
  private let place: Place
  private let source: TraceParcel.Source

  init(_ traces: any TraceSink, _ place: Place, _ source: TraceParcel.Source) {
    self.traces = traces
    self.place = place
    self.source = source
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let datagram = unwrapInboundIn(data).data
    // A copy, because the buffer is as large as the largest.
    let copy = ByteBuffer(bytes: datagram.readableBytesView)
    traces.take(
      TraceParcel(
        place: place, size: copy.readableBytes + DatagramReader.overhead, from: source, .datagram(copy))
    )
  }

  private static let overhead = 256

  /// Nobody is there who could be told.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// The daemon's TCP port.
private final class DaemonFront: HTTPResponder {
  private let traces: any TraceSink
  private let place: Place
  private let executor: EventLoopExecutor

  init(_ traces: any TraceSink, _ place: Place, eventLoop: any EventLoop) {
    self.traces = traces
    self.place = place
    executor = EventLoopExecutor(eventLoop)
  }

  func bodyLimit(for head: HTTPRequestHead) -> Int { 65_536 }

  func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    Task.immediate(executorPreference: executor) { [traces, place] in
      exchange.send(await traces.daemon(request, in: place))
    }
  }
}
