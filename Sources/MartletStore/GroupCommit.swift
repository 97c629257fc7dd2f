// Writes that arrive together are committed together: with one fsync for all of them, full durability costs little.
import Dispatch
import GRDB
import MartletCore
import Synchronization

final class GroupCommit: Sendable {
  /// Runs in the transaction; returns what to call when the transaction has ended, with a fault if it could not commit.
  typealias Work = @Sendable (GRDB.Database) -> @Sendable (Fault?) -> Void

  private struct Queue {
    var pending: [Work] = []
    var scheduled = false
  }

  private let pool: DatabasePool
  private let queue = Mutex(Queue())
  private let thread = DispatchQueue(label: "martlet.database.writer")

  init(pool: DatabasePool) { self.pool = pool }

  func add(_ work: @escaping Work) {
    let mustSchedule = queue.withLock { queue in
      queue.pending.append(work)
      defer { queue.scheduled = true }
      return !queue.scheduled
    }
    if mustSchedule { thread.async { self.drain() } }
  }

  /// Takes whatever has gathered while the previous transaction was being written.
  private func drain() {
    while true {
      let batch = queue.withLock { queue in
        let batch = queue.pending
        queue.pending = []
        if batch.isEmpty { queue.scheduled = false }
        return batch
      }
      if batch.isEmpty { return }
      var ends: [@Sendable (Fault?) -> Void] = []
      do {
        try pool.write { db in
          for work in batch { ends.append(work(db)) }
        }
        for end in ends { end(nil) }
      } catch {
        for end in ends { end(Fault("database commit", "\(error)")) }
      }
    }
  }
}
