// The events that wait for one subscriber, as a value: when a batch is due, what goes into it, what is lost.
import NIOCore

struct TelemetryBuffer {
  /// What could not be kept.
  struct Loss: Equatable {
    var records = 0
    var bytes = 0
  }

  private let limits: TelemetrySubscription.Buffering
  private var waiting: [ByteBuffer] = []
  private var bytes = 0
  /// When the oldest event came, in nanoseconds.
  private var since: UInt64 = 0
  private(set) var loss = Loss()

  init(_ limits: TelemetrySubscription.Buffering) { self.limits = limits }

  /// What is kept for a subscriber that does not keep up: several batches.
  private var capacity: Int { 4 * limits.maxBytes }

  /// An event came. It is lost if the subscriber is too far behind.
  mutating func append(_ event: ByteBuffer, now: UInt64) {
    guard bytes + event.readableBytes <= capacity else {
      lose([event])
      return
    }
    if waiting.isEmpty { since = now }
    waiting.append(event)
    bytes += event.readableBytes
  }

  /// When a batch is to be sent: nil = nothing waits, 0 = at once.
  var due: UInt64? {
    guard !waiting.isEmpty else { return nil }
    if waiting.count >= limits.maxItems || bytes >= limits.maxBytes { return 0 }
    return since + UInt64(limits.timeout) * 1_000_000
  }

  /// The next batch: at most as many events and bytes as the subscriber wants, and one at least.
  mutating func take(now: UInt64) -> [ByteBuffer] {
    var count = 0
    var size = 0
    while count < min(waiting.count, limits.maxItems) {
      let more = waiting[count].readableBytes
      if count > 0, size + more > limits.maxBytes { break }
      size += more
      count += 1
    }
    defer {
      waiting.removeFirst(count)
      bytes -= size
      since = now
    }
    return Array(waiting.prefix(count))
  }

  mutating func lose(_ events: [ByteBuffer]) {
    loss.records += events.count
    loss.bytes += events.reduce(0) { $0 + $1.readableBytes }
  }

  /// The loss until now, to be told; it begins anew.
  mutating func takeLoss() -> Loss? {
    guard loss.records > 0 else { return nil }
    defer { loss = Loss() }
    return loss
  }
}
