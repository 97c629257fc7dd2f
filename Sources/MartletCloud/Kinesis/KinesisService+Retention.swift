// Forgetting: records that are older than their stream keeps them go, a few at a time, when the clock says so.
import Logging
import MartletCore
import MartletStore
import Synchronization

extension KinesisService {
  /// Records that are removed in one transaction.
  private static let batch = 2000
  /// Between two rounds, so that a steady flow of records is not followed by as many removals. Nobody reads what is too
  /// old meanwhile.
  private static let pause = Duration.seconds(60)

  /// Sees to it that what is too old is removed no later than this.
  func armTrim(at due: Timestamp) {
    sweep.withLock { sweep in
      if let sweep, sweep.due <= due { return }
      if let alarm = sweep?.alarm { alarms.cancel(alarm) }
      sweep = (alarms.set(at: due) { [weak self] in self?.trim() }, due)
    }
  }

  /// Removes what is too old.
  func trim() {
    sweep.withLock { sweep in
      if let alarm = sweep?.alarm { alarms.cancel(alarm) }
      sweep = nil
    }
    let now = self.now
    let shards = streams.all.flatMap { stream in
      stream.shards.map { shard in
        TrimStep(
          name: .init(store: stream.store, shard: shard.index), horizon: stream.horizon(now),
          retention: .seconds(stream.retention * 3600))
      }
    }
    guard !shards.isEmpty else { return }
    alarms.begin()
    trim(shards[...], next: nil)
  }

  private struct TrimStep: Sendable {
    let name: ShardTips.Name
    let horizon: Int64
    let retention: Duration
  }

  /// One transaction of a round.
  /// - Parameter next: when the oldest record is too old of those that stay, as far as it is known.
  private func trim(_ steps: ArraySlice<TrimStep>, next: Timestamp?) {
    guard let step = steps.first else {
      if let next { armTrim(at: max(next, world.now() + KinesisService.pause)) }
      return alarms.end()
    }
    database.enqueue(
      { session in try RecordTable.trim(step.name, horizon: step.horizon, count: KinesisService.batch, session) },
      ended: { result in
        switch result {
        case .success((true, _)): self.trim(steps, next: next)
        case .success((false, let oldest)):
          let due = oldest.map { Timestamp(milliseconds: $0) + step.retention }
          self.trim(steps.dropFirst(), next: [next, due].compactMap { $0 }.min())
        case .failure(let fault):
          self.log.error("records cannot be removed", metadata: ["fault": "\(fault)"])
          self.armTrim(at: self.world.now() + KinesisService.pause)
          self.alarms.end()
        }
      })
  }

  /// Removes the records of a stream that is no more, a few at a time.
  func clear(_ store: Int64) {
    tips.forget(store)
    tick { $0.store == store }
    database.enqueue(
      { session in try RecordTable.clear(store, count: KinesisService.batch, session) },
      ended: { [weak self] result in
        switch result {
        case .success(let isMore): if isMore { self?.clear(store) }
        case .failure(let fault): self?.log.error("a stream cannot be cleared", metadata: ["fault": "\(fault)"])
        }
      })
  }
}
