// From whoever knows something of a trace to the disk: they hand over and go on; one loop writes what came together.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

/// What waits to be written.
struct TraceIntake: Sendable {
  enum Item: Sendable {
    case parcel(TraceParcel)
    /// Of a client, which waits for it.
    case segments([TraceSegment], Place, CheckedContinuation<AWSError?, Never>)
    /// Somebody who wants to read what has come in before.
    case reader(CheckedContinuation<AWSError?, Never>)
  }

  private let limit: Int
  private(set) var items: [Item] = []
  private var bytes = 0
  /// Somebody waits.
  private(set) var isUrgent = false

  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { items.isEmpty }

  /// False if there is no room: then nothing has changed.
  mutating func add(_ item: Item, size: Int) -> Bool {
    guard bytes + size <= limit else { return false }
    bytes += size
    if case .parcel = item {} else { isUrgent = true }
    items.append(item)
    return true
  }

  mutating func take() -> [Item] {
    defer {
      items = []
      bytes = 0
      isUrgent = false
    }
    return items
  }
}

extension XRayService: TraceSink {
  package func take(_ parcel: TraceParcel) {
    // Moves of the clock wait until it is written.
    alarms.begin()
    if intake.withLock({ $0.add(.parcel(parcel), size: parcel.size) }) { return wake() }
    alarms.end()
    counts.withLock { $0.dropped += 1 }
  }

  package func samples(_ service: String, type: String, arn: String, in place: Place) -> Bool {
    let request = SamplingRule.Request(serviceName: service, serviceType: type, resourceARN: arn)
    let rule = sortedRules(place).first { $0.isStandard || $0.matches(request) } ?? .standard(place)
    let (now, chance) = (world.now(), world.random())
    return sampling.withLock { $0.decide(rule, service, at: now, chance: chance) }
  }

  package func daemon(_ request: HTTPRequest, in place: Place) async -> HTTPReply {
    let call = Call(
      requestID: RequestID(from: world), place: place, caller: .service("xray.amazonaws.com"),
      host: "localhost",
      traceHeader: nil)
    guard let wire = daemonService, let row = wire.row(for: request),
      XRayService.daemonsOwn.contains(row.route.action)
    else {
      return HTTPReply(status: 404, headers: [("Content-Type", "text/plain")], body: ByteBuffer())
    }
    return await wire.answer(request, call)
  }

  /// What the real daemon passes on.
  private static let daemonsOwn: Set<String> = ["GetSamplingRules", "GetSamplingTargets"]

  /// All rules of an account and region, the one that is asked first in front.
  func sortedRules(_ place: Place) -> [SamplingRule] {
    var rules = rules.list(place)
    if !rules.contains(where: \.isStandard) { rules.append(.standard(place)) }
    return rules.sorted {
      ($0.isStandard ? 1 : 0, $0.settings.priority, $0.key.name) < (
        $1.isStandard ? 1 : 0, $1.settings.priority, $1.key.name
      )
    }
  }

  /// Writes segments of a client; they are on disk when this returns.
  func put(_ segments: [TraceSegment], in place: Place) async throws(AWSError) {
    guard !segments.isEmpty else { return }
    let size = segments.count * TraceSegment.largest / 16
    if let error = await wait(size: size, { .segments(segments, place, $0) }) { throw error }
  }

  /// Returns when everything that came in before is written.
  func settle() async { _ = await wait(size: 0) { .reader($0) } }

  private func wait(
    size: Int, _ item: (CheckedContinuation<AWSError?, Never>) -> TraceIntake.Item
  ) async -> AWSError? {
    await withCheckedContinuation { continuation in
      alarms.begin()
      let item = item(continuation)
      if intake.withLock({ $0.add(item, size: size) }) { return wake() }
      alarms.end()
      continuation.resume(returning: .xrayBusy())
    }
  }

  func writeIntake() async {
    let items = intake.withLock { $0.take() }
    guard !items.isEmpty else { return }
    defer { for _ in items { alarms.end() } }
    let received = world.now().milliseconds
    var arrivals: [TraceStore.Arrival] = []
    var sources: [TraceParcel.Source?] = []
    var refused = 0
    for item in items {
      switch item {
      case .reader: break
      case .segments(let segments, let place, _):
        arrivals += segments.map { .init(place: place, segment: $0, received: received) }
        sources += segments.map { _ in nil }
      case .parcel(let parcel):
        let (segments, bad) = XRayService.segments(of: parcel)
        refused += bad
        arrivals += segments.map { .init(place: parcel.place, segment: $0, received: received) }
        sources += segments.map { _ in parcel.source }
      }
    }
    var failure: AWSError?
    if !arrivals.isEmpty {
      do throws(Fault) {
        try await store.append(arrivals)
      } catch {
        log.error("segments are lost", metadata: ["fault": "\(error)"])
        failure = .service("\(error)")
      }
    }
    if let export {
      for (arrival, source) in zip(arrivals, sources) { export.took(arrival.segment, source, in: arrival.place) }
    }
    counts.withLock { counts in
      counts.segments += failure == nil ? arrivals.count : 0
      counts.refused += refused + (failure == nil ? 0 : arrivals.count)
    }
    for item in items {
      switch item {
      case .reader(let continuation), .segments(_, _, let continuation):
        continuation.resume(returning: failure)
      case .parcel: break
      }
    }
  }

  /// The segments in a parcel, and how many were none.
  private static func segments(of parcel: TraceParcel) -> (segments: [TraceSegment], refused: Int) {
    do throws(TraceSegment.Flaw) {
      switch parcel.content {
      case .datagram(let bytes): return ([try TraceDatagram.segment(bytes)], 0)
      case .later(let make):
        var segments: [TraceSegment] = []
        for document in make() { segments.append(try TraceSegment(document)) }
        return (segments, 0)
      }
    } catch {
      return ([], 1)
    }
  }

  // MARK: - Limits

  /// How far the clock goes between two looks for what is too old.
  private static let sweepSpan = Duration.seconds(60)

  var isSweepDue: Bool {
    let now = world.now()
    return swept.withLock { last in
      guard let last else { return true }
      return now < last || now >= last + XRayService.sweepSpan
    }
  }

  func sweep() async {
    let isFull = ((try? store.size()) ?? 0) > limits.storage.bytes
    guard isFull || isSweepDue else { return }
    swept.withLock { $0 = world.now() }
    // A little more than must be goes, so that not every segment makes another one go.
    let room = limits.storage.bytes - (isFull ? limits.storage.bytes / 20 : 0)
    do throws(Fault) {
      try await store.sweep(before: horizon, keeping: room)
    } catch {
      log.error("old traces cannot be removed", metadata: ["fault": "\(error)"])
    }
  }
}
