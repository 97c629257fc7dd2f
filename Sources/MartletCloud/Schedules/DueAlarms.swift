// One alarm for each of many things that are due some time, and a stream of those that are due now.
import MartletCore
import Synchronization

final class DueAlarms: Sendable {
  private struct Armed: Sendable {
    let alarm: Alarms.Alarm
    let due: Timestamp
  }

  private let alarms: Alarms
  private let armed = Mutex<[ResourceKey: Armed]>([:])
  /// What is due. Whoever takes a key from here calls `alarms.end()` when the work is done.
  let dues: AsyncStream<ResourceKey>
  private let announce: AsyncStream<ResourceKey>.Continuation

  init(alarms: Alarms) {
    self.alarms = alarms
    (dues, announce) = AsyncStream.makeStream()
  }

  func stop() { announce.finish() }

  /// Says when something is due instead of what was said before; nil = never.
  func set(_ key: ResourceKey, at due: Timestamp?) {
    armed.withLock { armed in
      if let old = armed.removeValue(forKey: key) { alarms.cancel(old.alarm) }
      guard let due else { return }
      armed[key] = Armed(alarm: alarms.set(at: due) { self.ring(key) }, due: due)
    }
  }

  /// When something is due, for whoever asks.
  func due(_ key: ResourceKey) -> Timestamp? { armed.withLock { $0[key]?.due } }

  /// Announces that something is due.
  func ring(_ key: ResourceKey) {
    armed.withLock { $0[key] = nil }
    alarms.begin()
    announce.yield(key)
  }
}
