// Brings requests of one signal to its collector, again and again as OTLP has it, and counts what became of them.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
import Logging
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization

final class TelemetrySender: Sendable {
  /// How many spans, points or records.
  struct Counts: Sendable, Equatable {
    var exported = 0
    /// The collector took the request and not these.
    var rejected = 0
    /// The collector refused the request, or was not there for too long.
    var failed = 0
    /// Attempts that were to be repeated.
    var retries = 0
  }

  typealias Post = @Sendable (_ headers: HTTPHeaders, _ body: ByteBuffer) async throws(Fault) -> HTTPReply

  private struct State {
    var counts = Counts()
    /// The collector did not take what it was sent last.
    var isTroubled = false
    var isStopping = false
  }

  let signal: TelemetrySignal
  private let target: OTLPSettings.Target
  private let userAgent: String
  private let world: any World
  private let log: Logger
  private let post: Post
  private let state = Mutex(State())

  init(
    _ signal: TelemetrySignal, _ target: OTLPSettings.Target, version: String, world: any World, log: Logger,
    post: @escaping Post
  ) {
    self.signal = signal
    self.target = target
    userAgent = "martlet/\(version)"
    self.world = world
    self.log = log
    self.post = post
  }

  /// Posts by HTTP, each time on a connection of its own.
  static func post(_ target: OTLPSettings.Target, _ security: any TransportSecurity) -> Post {
    var patience = HTTPClient.Patience()
    patience.connect = min(patience.connect, target.timeout)
    patience.silence = target.timeout
    let client = HTTPClient(target.address, patience: patience, security: security)
    return { (headers, body) async throws(Fault) in
      try await client.send(.POST, target.path, headers: headers, body: body)
    }
  }

  var counts: Counts { state.withLock { $0.counts } }

  /// What is under way is tried once more, and no more after that.
  func stop() { state.withLock { $0.isStopping = true } }

  /// Returns when the collector has taken it, or it is lost.
  /// - Parameters:
  ///   - count: of its spans, points or records.
  ///   - pause: waits; shorter, when the server stops.
  func send(_ bytes: [UInt8], count: Int, pause: @Sendable (Duration) async -> Void) async {
    var headers = HTTPHeaders([("Content-Type", "application/x-protobuf"), ("User-Agent", userAgent)])
    for pair in target.headers { headers.replaceOrAdd(name: pair.name, value: pair.value) }
    let body = ByteBuffer(bytes: bytes)
    var retry = OTLPRetry()
    while true {
      let isLast = state.withLock { $0.isStopping }
      let result: Result<HTTPReply, Fault>
      do throws(Fault) { result = .success(try await post(headers, body)) } catch { result = .failure(error) }
      let chance = Double(world.random() >> 11) / Double(UInt64(1) << 53)
      switch retry.step(after: result, chance: chance, now: world.hostNow()) {
      case .taken(let rejected, let message): return taken(count, rejected: rejected, message)
      case .over(let why): return lost(count, why)
      case .again(_, let why) where isLast: return lost(count, why)
      case .again(let wait, let why):
        trouble(why)
        await pause(wait)
      }
    }
  }

  private func taken(_ count: Int, rejected: Int, _ message: String) {
    let wasTroubled = state.withLock { state in
      state.counts.exported += max(0, count - rejected)
      state.counts.rejected += min(count, rejected)
      defer { state.isTroubled = false }
      return state.isTroubled
    }
    if wasTroubled { log.notice("the collector of \(signal) takes them again", metadata: place) }
    if rejected > 0 || !message.isEmpty {
      log.warning(
        "the collector of \(signal) did not take all",
        metadata: place.merging(["rejected": "\(rejected)", "message": "\(message.prefix(500))"]) { $1 })
    }
  }

  private func lost(_ count: Int, _ why: String) {
    state.withLock { state in
      state.counts.failed += count
      state.isTroubled = true
    }
    log.error(
      "\(signal) could not be exported and are lost",
      metadata: place.merging(["count": "\(count)", "why": "\(why)"]) { $1 })
  }

  /// Told once until it is over.
  private func trouble(_ why: String) {
    let isNew = state.withLock { state in
      state.counts.retries += 1
      defer { state.isTroubled = true }
      return !state.isTroubled
    }
    if isNew {
      log.warning(
        "the collector of \(signal) does not take them now; they wait",
        metadata: place.merging(["why": "\(why)"]) { $1 })
    }
  }

  private var place: Logger.Metadata { ["endpoint": "\(target.address)\(target.path)"] }
}
