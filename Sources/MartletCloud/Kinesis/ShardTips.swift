// How far each shard has come, in memory: whoever has read all of it is answered without asking the database.
import Synchronization

final class ShardTips: Sendable {
  struct Name: Hashable, Sendable {
    /// Of the stream.
    let store: Int64
    let shard: Int
  }

  private let tips: Mutex<[Name: Int64]>

  init(_ tips: [Name: Int64]) { self.tips = Mutex(tips) }

  /// The number of the newest record that is on disk; 0 of a shard without records.
  func tip(_ name: Name) -> Int64 { tips.withLock { $0[name] ?? 0 } }

  func advance(_ name: Name, to number: Int64) { tips.withLock { $0[name] = max($0[name] ?? 0, number) } }

  func forget(_ store: Int64) { tips.withLock { tips in tips = tips.filter { $0.key.store != store } } }
}
