// The telemetry of one environment: events come in, each subscriber gets those that it asked for. Lives on the
// environment's event loop.
import MartletCore
import NIOCore

final class Telemetry {
  private var deliveries: [(id: RequestID, delivery: TelemetryDelivery)] = []
  /// Everything since the start, for those who subscribe late; nil when initialisation is over.
  private var backlog: [TelemetryEvent]? = []
  private var backlogSize = ByteCount.bytes(0)
  /// Of the lines in the backlog, with something for each of them.
  private static let backlogLimit = ByteCount.mebibytes(4)

  /// False when nobody has subscribed and nobody can any more.
  var isWanted: Bool { backlog != nil || !deliveries.isEmpty }
  var isOpen: Bool { backlog != nil }

  func add(_ event: TelemetryEvent) {
    if backlog != nil, backlogSize < Telemetry.backlogLimit {
      backlog?.append(event)
      backlogSize = .bytes(backlogSize.bytes + event.size)
    }
    for (_, delivery) in deliveries { delivery.add(event) }
  }

  /// The API that the extension has subscribed to already.
  func api(of id: RequestID) -> TelemetrySubscription.API? {
    deliveries.first { $0.id == id }?.delivery.subscription.api
  }

  /// An extension subscribes, or changes its subscription.
  func subscribe(_ id: RequestID, _ delivery: TelemetryDelivery) {
    deliveries.removeAll { $0.id == id }
    deliveries.append((id, delivery))
    for event in backlog ?? [] { delivery.add(event) }
  }

  /// Initialisation is over.
  func close() { backlog = nil }

  /// Nothing is sent while the environment is frozen.
  func pause(_ isPaused: Bool) {
    for (_, delivery) in deliveries { delivery.pause(isPaused) }
  }

  /// Sends what waits, at once.
  func flush() {
    for (_, delivery) in deliveries { delivery.flush() }
  }

  func end() {
    for (_, delivery) in deliveries { delivery.end() }
    deliveries = []
    backlog = nil
  }
}
