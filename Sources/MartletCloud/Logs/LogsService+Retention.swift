// Removing what is too old for its group, and the oldest of all when there is no room: whole segments at a time.
// Searches leave out what is too old to the millisecond, so that nobody sees when a file goes.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

extension LogsService {
  /// The time from which a group's events are to be seen.
  func window(_ group: LogGroup, from start: Int64?, to end: Int64?) -> Range<Int64> {
    let low = max(start ?? .min, group.horizon(now))
    return low..<max(low, end ?? .max)
  }

  /// Sets the alarm for the next segment that will be too old.
  func armSweep() {
    var earliest: Int64?
    for group in groups.all {
      guard let days = group.retention, let expiry = (try? folder(group))?.expiry, expiry < .max else { continue }
      let due = expiry + Int64(days) * 86_400_000 + 1
      earliest = min(earliest ?? due, due)
    }
    guard let earliest else { return }
    let due = Timestamp(milliseconds: max(earliest, now))
    sweep.withLock { sweep in
      if let set = sweep, set.due <= due { return }
      if let set = sweep { alarms.cancel(set.alarm) }
      let alarm = alarms.set(at: due) {
        self.sweep.withLock { $0 = nil }
        self.alarms.begin()
        self.writer.submit { _ in
          self.removeExpired()
          self.alarms.end()
        }
      }
      sweep = (alarm, due)
    }
  }

  /// Blocking.
  func removeExpired() {
    for group in groups.all where group.retention != nil {
      guard let folder = try? folder(group) else { continue }
      let removed = folder.remove(before: group.horizon(now))
      if removed > 0 { counts.withLock { $0.removedBytes += removed } }
    }
    armSweep()
  }

  /// Removes the oldest segments until all groups together take no more than they may.
  func makeRoom() async {
    let folders = allFolders
    var total = folders.reduce(0) { $0 + $1.size }
    guard total > limits.storage.bytes else { return }
    while total > limits.storage.bytes {
      let oldest = folders.filter { $0.size > 0 }.min { ($0.oldestIngestion ?? .max) < ($1.oldestIngestion ?? .max) }
      guard let oldest else { return }
      let removed = try? await blocking { () throws(Fault) -> Int in oldest.removeOldest() }
      guard let removed, removed > 0 else { return }
      total -= removed
      counts.withLock { $0.removedBytes += removed }
      log.notice("log events were removed for want of room", metadata: ["bytes": "\(removed)"])
    }
  }
}
