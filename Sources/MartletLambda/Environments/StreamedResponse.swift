// The body of a `/response` in streaming mode, on its way to whoever invoked the function.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization

/// Lives on its environment's event loop.
final class StreamedResponse: HTTPBodyReceiver {
  let stream: PayloadStream
  let work: Work
  private let environment: Environment
  private let flow: HTTPInflow
  private let limit: ByteCount
  private var rate: StreamRate?
  private let pace: Pace
  /// Bytes so far.
  private(set) var size = 0
  /// The runtime broke off.
  private(set) var isCut = false
  private var exceeded: Bool { size > limit.bytes }

  /// The rate says to wait, whatever the reader does, who is on another thread.
  private final class Pace: Sendable {
    private let isSlow = Mutex(false)
    var holds: Bool {
      get { isSlow.withLock { $0 } }
      set { isSlow.withLock { $0 = newValue } }
    }
  }

  init(_ environment: Environment, of work: Work, flow: HTTPInflow, limit: ByteCount) {
    self.environment = environment
    self.work = work
    self.flow = flow
    self.limit = limit
    let now = environment.parts.world.monotonic()
    rate = environment.parts.limits.streamingRate.map { StreamRate(bytesPerSecond: $0.bytes, now: now) }
    let pace = Pace()
    self.pace = pace
    stream = PayloadStream { if !pace.holds { flow.release() } }
  }

  func receive(_ part: ByteBuffer) {
    guard !exceeded else { return }
    size += part.readableBytes
    if exceeded {
      environment.streamed(self, failure: FunctionFailure.tooLarge(limit))
    } else {
      if !stream.write(part) { flow.hold() }
      if rate != nil { slowDown(part.readableBytes) }
    }
  }

  private func slowDown(_ bytes: Int) {
    let wait = rate?.take(bytes, now: environment.parts.world.monotonic()) ?? 0
    guard wait > 0, !pace.holds else { return }
    pace.holds = true
    flow.hold()
    let (pace, flow, stream) = (pace, flow, stream)
    environment.eventLoop.scheduleTask(in: .nanoseconds(Int64(wait))) {
      pace.holds = false
      if !stream.isHeldUp { flow.release() }
    }
  }

  func end(trailers: HTTPHeaders, _ exchange: HTTPExchange) {
    if exceeded {
      exchange.send(RuntimeAPI.tooLarge(limit: limit.bytes))
    } else {
      environment.streamed(self, failure: StreamedResponse.failure(in: trailers))
      exchange.send(raw: RuntimeAPI.accepted)
    }
  }

  /// Perhaps because the runtime has died: then its end is the reason. If it lives it asks for the next event.
  func cutOff() {
    isCut = true
    environment.cutOff(self)
  }

  /// What a runtime says behind its response of an error in the middle of it.
  static func failure(in trailers: HTTPHeaders) -> PayloadStream.Failure? {
    let type = trailers.first(name: "Lambda-Runtime-Function-Error-Type")
    let document = trailers.first(name: "Lambda-Runtime-Function-Error-Body")
    guard type != nil || document != nil else { return nil }
    return (type ?? "Runtime.Unknown", document.flatMap { Base64.decode($0) } ?? ByteBuffer())
  }
}
