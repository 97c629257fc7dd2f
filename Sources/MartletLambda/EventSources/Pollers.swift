// The pollers of all mappings of queues, each as long as its mapping is enabled.
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

package final class Pollers: Sendable {
  private struct State {
    var pollers: [ResourceKey: Poller] = [:]
    /// Of mappings that were stopped: who waits for their last batch.
    var waiters: [ResourceKey: [CheckedContinuation<Void, Never>]] = [:]
    var isOpen = true
  }

  private let catalogue: Catalogue<EventSourceMapping>
  private let parts: Poller.Parts
  private let state = Mutex(State())
  private let started: AsyncStream<Poller>
  private let start: AsyncStream<Poller>.Continuation

  package init(
    resources: LambdaResources, functions: FunctionTable, line: any FunctionRunner, door: Door, alarms: Alarms,
    log: Logger
  ) {
    catalogue = resources.eventSourceMappings
    parts = Poller.Parts(
      functions: functions, line: line, door: door, alarms: alarms, log: log)
    (started, start) = AsyncStream.makeStream()
    resources.attend { [weak self] key in await self?.attend(key) }
    functions.observe { [weak self] before, after in
      guard before == nil, let key = after?.key else { return }
      self?.resume { $0.function.key == key }
    }
  }

  /// The poller of a mapping, as long as there is one.
  package func find(_ key: ResourceKey) -> Poller? { state.withLock { $0.pollers[key] } }

  package var all: [(key: ResourceKey, poller: Poller)] {
    state.withLock { state in
      state.pollers.map { (key: $0.key, poller: $0.value) }.sorted { $0.key.name < $1.key.name }
    }
  }

  /// A queue is there that was not before.
  package func queueAppeared(_ key: ResourceKey) { resume { $0.queue.key(for: $0.key.place) == key } }

  private func resume(_ isMeant: (PollerSetup) -> Bool) {
    for poller in state.withLock({ Array($0.pollers.values) }) where isMeant(poller.setup) { poller.resume() }
  }

  // MARK: - The loop

  /// Polls for all mappings that are enabled, until `stop` was called and nothing is under way.
  package func run() async {
    for mapping in catalogue.all where mapping.state == .enabled { begin(mapping) }
    await withDiscardingTaskGroup { group in
      for await poller in started {
        group.addTask {
          await poller.run()
          self.ended(poller)
        }
      }
    }
  }

  /// Nothing is received or begun any more.
  package func pause() {
    let pollers = state.withLock { state in
      state.isOpen = false
      return Array(state.pollers.values)
    }
    for poller in pollers { poller.stop() }
  }

  package func stop() {
    pause()
    start.finish()
  }

  // MARK: - States

  /// Does what a mapping's new state asks for. Returns when it is so.
  private func attend(_ key: ResourceKey) async {
    guard let mapping = catalogue.find(key), mapping.state.isBusy, mapping.source.isQueue else { return }
    if mapping.isEnabled, mapping.state != .deleting { begin(mapping) } else { await end(key) }
  }

  private func begin(_ mapping: EventSourceMapping) {
    guard let setup = PollerSetup(mapping) else { return }
    let running = state.withLock { state -> Poller? in
      if let poller = state.pollers[mapping.key] { return poller }
      guard state.isOpen else { return nil }
      let poller = Poller(setup, parts)
      state.pollers[mapping.key] = poller
      start.yield(poller)
      return nil
    }
    running?.configure(setup)
  }

  private func end(_ key: ResourceKey) async {
    await withCheckedContinuation { continuation in
      let poller = state.withLock { state -> Poller? in
        guard let poller = state.pollers[key] else { return nil }
        state.waiters[key, default: []].append(continuation)
        return poller
      }
      if let poller { poller.stop() } else { continuation.resume() }
    }
  }

  private func ended(_ poller: Poller) {
    let waiters = state.withLock { state in
      let key = poller.setup.key
      state.pollers[key] = nil
      return state.waiters.removeValue(forKey: key) ?? []
    }
    for waiter in waiters { waiter.resume() }
  }
}
