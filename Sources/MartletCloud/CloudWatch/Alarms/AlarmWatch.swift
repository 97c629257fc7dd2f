// When which alarm is looked at: at the end of each period in which there may be something new. An alarm whose metric
// says nothing sleeps until it says something, so that moving the clock by years costs nothing.
import MartletCore
import MartletStore
import Synchronization

final class AlarmWatch: Sendable {
  private struct State {
    var scheduled: [ResourceKey: Alarms.Alarm] = [:]
    var watchers: [MetricName: Set<ResourceKey>] = [:]
    var watched: [ResourceKey: Set<MetricName>] = [:]
    /// Seconds between two looks.
    var steps: [ResourceKey: Int64] = [:]
    /// Those whose metrics got values since they were looked at: the period may not be over that these belong to.
    var fresh: Set<ResourceKey> = []
  }

  private let alarms: Alarms
  private let state = Mutex(State())
  private let due: AsyncStream<ResourceKey>
  private let ring: AsyncStream<ResourceKey>.Continuation

  init(alarms: Alarms) {
    self.alarms = alarms
    (due, ring) = AsyncStream.makeStream()
  }

  /// Hears of alarms that are put, changed and deleted.
  func heard(_ after: MetricAlarm?, _ key: ResourceKey) {
    let metrics = Set((after?.settings.asked ?? []).compactMap { $0.stat?.metric.at(key.place) })
    state.withLock { state in
      for metric in state.watched.removeValue(forKey: key) ?? [] { state.watchers[metric]?.remove(key) }
      state.steps[key] = nil
      guard let after else { return }
      state.steps[key] = Int64(min(60, after.settings.step))
      state.watched[key] = metrics
      for metric in metrics { state.watchers[metric, default: []].insert(key) }
    }
  }

  /// Hears of metrics that got values.
  func heard(_ metrics: Set<MetricName>) {
    let keys = state.withLock { state -> Set<ResourceKey> in
      guard !state.watchers.isEmpty else { return [] }
      let keys = metrics.reduce(into: Set<ResourceKey>()) { $0.formUnion(state.watchers[$1] ?? []) }
      state.fresh.formUnion(keys)
      return keys
    }
    for key in keys { schedule(key) }
  }

  /// True if there were new values since it was asked last.
  func takeFresh(_ key: ResourceKey) -> Bool { state.withLock { $0.fresh.remove(key) != nil } }

  /// Has the alarm looked at when its period ends.
  func schedule(_ key: ResourceKey) {
    let now = alarms.world.now()
    state.withLock { state in
      guard state.scheduled[key] == nil, let step = state.steps[key] else { return }
      // A moment later, so that what is told in the last second of a period counts.
      let end = Timestamp(milliseconds: (now.seconds / step + 1) * step * 1000) + AlarmWatch.delay
      state.scheduled[key] = alarms.set(at: end) { [weak self] in
        guard let self else { return }
        self.state.withLock { $0.scheduled[key] = nil }
        self.look(at: key)
      }
    }
  }

  private static let delay = Duration.milliseconds(1500)

  /// Has the alarm looked at now.
  func look(at key: ResourceKey) {
    alarms.begin()
    if case .enqueued = ring.yield(key) { return }
    alarms.end()
  }

  /// Looks at alarms until `stop` was called.
  func run(_ look: @Sendable (ResourceKey) async -> Void) async {
    for await key in due {
      await look(key)
      alarms.end()
    }
  }

  func stop() { ring.finish() }
}
