// What Lambda tells CloudWatch of functions, and the operator of all of them. Invocations are counted where they end
// (InvocationTally.swift); what is rarer is counted here. Once a second all of it is collected.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
import MartletCore
import MartletWire
import Synchronization

package final class LambdaMetrics: Sendable {
  /// What is counted one by one, by AWS's names.
  package enum Event: String, Sendable {
    case throttles = "Throttles"
    case recursiveInvocationsDropped = "RecursiveInvocationsDropped"
    case asyncEventsReceived = "AsyncEventsReceived"
    case asyncEventsDropped = "AsyncEventsDropped"
    case asyncEventAge = "AsyncEventAge"
    case deadLetterErrors = "DeadLetterErrors"
    case destinationDeliveryFailures = "DestinationDeliveryFailures"
    case iteratorAge = "IteratorAge"
    case postRuntimeExtensionsDuration = "PostRuntimeExtensionsDuration"
    case signatureValidationErrors = "SignatureValidationErrors"
    case urlRequestCount = "UrlRequestCount"
    case url4xxCount = "Url4xxCount"
    case url5xxCount = "Url5xxCount"
    case urlRequestLatency = "UrlRequestLatency"

    /// Milliseconds are measured and not counted.
    var isTime: Bool {
      [.asyncEventAge, .iteratorAge, .postRuntimeExtensionsDuration, .urlRequestLatency].contains(self)
    }
  }

  struct Cell: Hashable, Sendable {
    let event: Event
    let function: FunctionReference
    /// Since 1970.
    let minute: Int64
  }

  /// Decisions of one minute.
  struct ReasonCell: Hashable, Sendable {
    let function: FunctionKey
    let decision: Decision
    /// Since 1970.
    let minute: Int64
  }

  /// What has happened to a function since the server was started.
  package struct Totals: Sendable, Equatable {
    package var invocations = 0
    package var errors = 0
    package var coldStarts = 0
    package var throttles = 0
    /// Nanoseconds.
    package var duration: UInt64 = 0
    /// Invocations that took no longer than each of `bounds`.
    package var buckets = [Int](repeating: 0, count: Totals.bounds.count)
    /// Events by their names.
    package var events: [String: Int] = [:]

    /// Seconds.
    package static let bounds = [
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900,
    ]

    /// - Parameter nanoseconds: how long each took.
    mutating func note(_ count: Int, nanoseconds: Double) {
      for (index, bound) in Totals.bounds.enumerated() where nanoseconds <= bound * 1e9 { buckets[index] += count }
    }
  }

  struct State {
    var cells: [Cell: [Double: Double]] = [:]
    var totals: [FunctionKey: Totals] = [:]
    /// Throttles and cold starts: of which nobody was told yet, and since the server was started.
    var reasons: [ReasonCell: Int] = [:]
    var decisions: [FunctionKey: DecisionLog] = [:]
    /// What mappings had counted when they were asked last.
    var mappings: [ResourceKey: Poller.Counts] = [:]
    var provisionedMeter = ProvisionedMeter()
  }

  let world: any World
  let state = Mutex(State())

  /// Off: nothing is counted, and CloudWatch is told nothing of functions.
  package let isOn: Bool

  package init(world: any World, isOn: Bool = true) {
    self.world = world
    self.isOn = isOn
  }

  /// - Parameter value: how often, or how many milliseconds.
  package func note(_ event: Event, of function: FunctionReference, _ value: Double = 1) {
    guard isOn else { return }
    let cell = Cell(event: event, function: function, minute: world.now().seconds / 60)
    state.withLock { state in
      state.cells[cell, default: [:]][value, default: 0] += 1
      if event == .throttles {
        state.totals[function.key, default: Totals()].throttles += 1
      } else if !event.isTime {
        state.totals[function.key, default: Totals()].events[event.rawValue, default: 0] += Int(value)
      }
    }
  }

  /// What has happened to each function since the server was started, in the order of their names.
  package var totals: [(function: FunctionKey, totals: Totals)] { LambdaMetrics.sorted(state.withLock { $0.totals }) }

  /// The reasons of throttles and cold starts, the same.
  package var decisions: [(function: FunctionKey, decisions: [Decision: Int])] {
    LambdaMetrics.sorted(state.withLock { $0.decisions.mapValues(\.counts) })
  }

  private static func sorted<Value>(_ values: [FunctionKey: Value]) -> [(FunctionKey, Value)] {
    values.sorted {
      ($0.key.place.account.id, $0.key.place.region.name, $0.key.name)
        < ($1.key.place.account.id, $1.key.place.region.name, $1.key.name)
    }.map { ($0.key, $0.value) }
  }
}
