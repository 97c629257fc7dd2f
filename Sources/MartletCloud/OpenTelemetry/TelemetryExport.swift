// Exports traces, metrics and logs to collectors of OpenTelemetry. It hears of them where they come together in batches
// anyway, after they are written; what waits is bounded, and what finds no room is dropped: docs/opentelemetry.md.
import Logging
import MartletCore
import MartletWire
import NIOCore
import Synchronization

package final class TelemetryExport: Sendable {
  /// What may wait.
  package struct Limits: Sendable {
    /// Bytes of segments and of log events.
    var traces = 16 << 20
    var logs = 32 << 20
    /// Series.
    var metrics = 10_000
    /// In one request: segments, series; bytes of log events.
    var spansInRequest = 512
    var seriesInRequest = 2000
    var logsInRequest = 1 << 20

    package init() {}
  }

  /// How it goes, of one signal: spans, points or records.
  package struct Figures: Sendable, Equatable {
    package var signal: TelemetrySignal
    package var exported = 0
    package var rejected = 0
    package var failed = 0
    /// There was no room.
    package var dropped = 0
    package var retries = 0
    /// Batches of log events, segments or series.
    package var waiting = 0
  }

  private let context: OTLPContext
  private let world: any World
  private let limits: Limits
  private let senders: [TelemetrySignal: TelemetrySender]
  private let spans: TelemetryQueue<SpanEncoder.Item>
  private let logs: TelemetryQueue<LogEncoder.Item>
  private let metrics: Mutex<MetricTallies>
  private let events = Mutex(EventSpans())
  private let isStopping = Atomic(false)

  /// - Parameters:
  ///   - version: of the program.
  ///   - security: for collectors behind HTTPS.
  package convenience init(
    _ settings: OTLPSettings, version: String, world: any World, security: any TransportSecurity, log: Logger,
    limits: Limits = Limits()
  ) {
    self.init(settings, version: version, world: world, log: log, limits: limits) {
      TelemetrySender.post($1, security)
    }
  }

  init(
    _ settings: OTLPSettings, version: String, world: any World, log: Logger, limits: Limits = Limits(),
    post: (TelemetrySignal, OTLPSettings.Target) -> TelemetrySender.Post
  ) {
    context = OTLPContext(settings: settings, version: version)
    self.world = world
    self.limits = limits
    var senders: [TelemetrySignal: TelemetrySender] = [:]
    for (signal, target) in settings.targets {
      senders[signal] = TelemetrySender(
        signal, target, version: version, world: world, log: log, post: post(signal, target))
    }
    self.senders = senders
    spans = TelemetryQueue(limit: limits.traces)
    logs = TelemetryQueue(limit: limits.logs)
    metrics = Mutex(MetricTallies(most: limits.metrics, now: world.now()))
  }

  package var figures: [Figures] {
    TelemetrySignal.allCases.compactMap { signal in
      senders[signal].map { sender in
        let counts = sender.counts
        let (waiting, dropped) =
          switch signal {
          case .traces: (spans.count, spans.dropped)
          case .metrics: metrics.withLock { ($0.count, $0.dropped) }
          case .logs: (logs.count, logs.dropped)
          }
        return Figures(
          signal: signal, exported: counts.exported, rejected: counts.rejected, failed: counts.failed,
          dropped: dropped, retries: counts.retries, waiting: waiting)
      }
    }
  }

  // MARK: - What comes

  /// Segments that were written. Never waits.
  func took(_ segment: TraceSegment, _ source: TraceParcel.Source?, in place: Place) {
    // A span is told when it is over, and once.
    guard senders[.traces] != nil, segment.end != nil, events.withLock({ $0.isNew(segment) }) else { return }
    spans.add(
      .init(place: place, segment: segment, source: source), size: TelemetryExport.spanSize, weight: 1)
  }

  /// Memory of a segment, about.
  private static let spanSize = 2048

  /// Values of metrics. Never waits.
  func took(_ data: [CloudWatch.PutMetricData.Datum], space: String, _ place: Place) {
    guard senders[.metrics] != nil else { return }
    let now = world.now()
    metrics.withLock { $0.add(data, space: space, place, now: now) }
  }

  /// Log events that were written. Never waits.
  func took(_ batch: LogBatch, of stream: LogStreamName, received: Int64) {
    guard senders[.logs] != nil else { return }
    logs.add(.init(stream: stream, batch: batch, received: received), size: batch.size, weight: batch.count)
  }

  // MARK: - What goes

  /// Exports until `stop`, and then what is left.
  /// - Parameter pause: waits for so long, or until the server stops.
  package func run(pause: @escaping @Sendable (Duration) async -> Void) async {
    await withDiscardingTaskGroup { group in
      if let sender = senders[.traces] { group.addTask { await self.runTraces(sender, pause) } }
      if let sender = senders[.metrics] { group.addTask { await self.runMetrics(sender, pause) } }
      if let sender = senders[.logs] { group.addTask { await self.runLogs(sender, pause) } }
    }
  }

  package func stop() {
    isStopping.store(true, ordering: .releasing)
    for sender in senders.values { sender.stop() }
    spans.stop()
    logs.stop()
  }

  private func interval(_ signal: TelemetrySignal) -> Duration {
    context.settings.targets[signal]?.interval ?? .seconds(1)
  }

  /// Lets things come together for a while.
  private func gather(
    _ queue: TelemetryQueue<some Sendable>, _ signal: TelemetrySignal, _ pause: @Sendable (Duration) async -> Void
  ) async {
    var left = interval(signal)
    while left > .zero, !queue.isFilling, !isStopping.load(ordering: .acquiring) {
      let part = min(left, .milliseconds(250))
      await pause(part)
      left -= part
    }
  }

  private func runTraces(_ sender: TelemetrySender, _ pause: @Sendable (Duration) async -> Void) async {
    func flush() async {
      var rest = spans.take()[...]
      while !rest.isEmpty {
        let part = rest.prefix(limits.spansInRequest)
        rest = rest.dropFirst(part.count)
        await sender.send(SpanEncoder(context: context).request(Array(part)), count: part.count, pause: pause)
      }
    }
    for await _ in spans.pokes {
      await gather(spans, .traces, pause)
      await flush()
    }
    await flush()
  }

  private func runLogs(_ sender: TelemetrySender, _ pause: @Sendable (Duration) async -> Void) async {
    var encoder = LogEncoder(context: context)
    func flush() async {
      var rest = logs.take()[...]
      while !rest.isEmpty {
        var (part, size, count): ([LogEncoder.Item], Int, Int) = ([], 0, 0)
        while let item = rest.first, part.isEmpty || size + item.batch.size <= limits.logsInRequest {
          part.append(item)
          (size, count) = (size + item.batch.size, count + item.batch.count)
          rest = rest.dropFirst()
        }
        await sender.send(encoder.request(part), count: count, pause: pause)
      }
    }
    for await _ in logs.pokes {
      await gather(logs, .logs, pause)
      await flush()
    }
    await flush()
  }

  private func runMetrics(_ sender: TelemetrySender, _ pause: @Sendable (Duration) async -> Void) async {
    var isLast = false
    while !isLast {
      await pause(interval(.metrics))
      isLast = isStopping.load(ordering: .acquiring) || Task.isCancelled
      let now = world.now()
      var rest = metrics.withLock { $0.take(now: now, isDelta: context.settings.isDelta) }[...]
      while !rest.isEmpty {
        let part = rest.prefix(limits.seriesInRequest)
        rest = rest.dropFirst(part.count)
        let request = MetricEncoder(context: context, now: now).request(Array(part))
        await sender.send(request, count: part.count, pause: pause)
      }
    }
  }
}

/// The segment that all attempts of an event belong to is written with each of them. A collector takes a span once, so
/// it is told with the first.
struct EventSpans: Sendable {
  private var known: Set<String> = []
  private var order: [String] = []
  private static let most = 10_000

  mutating func isNew(_ segment: TraceSegment) -> Bool {
    guard segment.json["origin"]?.string == "AWS::Lambda",
      segment.json["http"]?["response"]?["status"]?.integer == 202
    else { return true }
    guard known.insert(segment.id).inserted else { return false }
    order.append(segment.id)
    if order.count > EventSpans.most {
      for id in order.prefix(EventSpans.most / 2) { known.remove(id) }
      order.removeFirst(EventSpans.most / 2)
    }
    return true
  }
}
