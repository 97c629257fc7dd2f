// Archives at work: how large they are, what they forget, and replays, each of which is a task of its own.
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension EventBridgeService {
  /// Events that are replayed in one transaction.
  private static let replayBatch = 100

  // MARK: - Sizes

  func size(of archive: EventArchive) throws(AWSError) -> ArchiveTable.Size {
    let horizon = archive.horizon(at: world.now())
    do throws(Fault) {
      return try database.read { session in try ArchiveTable.size(archive.store, after: horizon, session) }
    } catch {
      throw .service("\(error)")
    }
  }

  // MARK: - Retention

  /// Forgets what is older than its archive keeps it, and sets the alarm for the next time.
  func forget() {
    let now = world.now()
    let archives = archives.all.filter { $0.retentionDays > 0 }
    guard !archives.isEmpty else { return }
    alarms.begin()
    database.enqueue(
      { session -> Timestamp? in
        var next: Int64?
        for archive in archives {
          try ArchiveTable.forget(archive.store, until: archive.horizon(at: now), session)
          if let oldest = try ArchiveTable.oldest(archive.store, session) {
            let due = oldest + Int64(archive.keptDays) * EventArchive.day
            next = min(next ?? due, due)
          }
        }
        return next.map { Timestamp(milliseconds: $0) }
      },
      ended: { result in
        switch result {
        case .success(let next?): self.forget(at: next)
        case .success(nil): break
        case .failure(let fault):
          self.log.error("archives could not forget", metadata: ["fault": "\(fault)"])
        }
        self.alarms.end()
      })
  }

  /// Sees to it that what is too old is forgotten no later than this.
  func forget(at due: Timestamp) { keepers.arm(alarms, at: due) { [weak self] in self?.forget() } }

  /// Removes the events of an archive that is no more.
  func clear(_ store: Int64) {
    database.enqueue({ try ArchiveTable.forget(store, until: .max, $0) }, ended: { _ in })
  }

  // MARK: - Replays

  func run(_ key: ResourceKey) async {
    // What was started while the loop began is known from both.
    guard replaying.withLock({ $0.insert(key).inserted }) else { return }
    alarms.begin()
    var isKept = true
    // What cannot be written down would begin again at once, and for ever: it waits for a restart instead.
    while isKept, let replay = replays.find(key), !replay.state.isOver, !isStopping {
      isKept = replay.state == .cancelling ? await note(key, .cancelled) : await step(replay)
    }
    replaying.withLock { _ = $0.remove(key) }
    alarms.end()
  }

  /// Replays the next few events.
  /// - Returns: false if what came of it could not be written down.
  private func step(_ replay: EventReplay) async -> Bool {
    let name = BusReference(replay.source).name
    guard let archive = archives.find(ResourceKey(place: replay.key.place, name: name)) else {
      return await note(replay.key, .failed, reason: "Archive \(name) does not exist.")
    }
    guard find(archive.bus) != nil else {
      return await note(replay.key, .failed, reason: "Event bus \(archive.bus.name) does not exist.")
    }
    let mark = ArchiveTable.Mark(time: replay.lastTime ?? replay.from - 1, number: replay.lastNumber)
    let horizon = archive.horizon(at: world.now())
    do throws(Fault) {
      let page = try database.read { session in
        try ArchiveTable.read(
          archive.store, after: mark, until: replay.to, put: horizon, count: EventBridgeService.replayBatch, session)
      }
      guard let last = page.last?.mark else { return await note(replay.key, .completed) }
      let arrivals = page.compactMap { row in
        BusEvent(text: row.event, time: Timestamp(milliseconds: row.mark.time))?.replayed(by: replay.key.name)
      }.map { Arrival(event: $0, bus: archive.bus, replay: .init(rules: replay.rules.map { Set($0) })) }
      do throws(AWSError) {
        try await take(arrivals)
      } catch {
        throw Fault("replay events", error.note ?? error.message)
      }
      return await note(replay.key, .running, last: last)
    } catch {
      log.error("a replay failed", metadata: ["replay": "\(replay.key.name)", "fault": "\(error)"])
      return await note(replay.key, .failed, reason: "Internal error.")
    }
  }

  private func note(
    _ key: ResourceKey, _ state: EventReplay.State, reason: String? = nil, last: ArchiveTable.Mark? = nil
  ) async -> Bool {
    let now = now
    do throws(AWSError) {
      try await replays.change(key) { record throws(AWSError) in
        guard var replay = record else { return }
        if let last { (replay.lastTime, replay.lastNumber) = (last.time, last.number) }
        // A wish to cancel stays, unless it is over anyway.
        if replay.state != .cancelling || state.isOver { replay.state = state }
        replay.reason = reason
        if state.isOver { replay.ended = now }
        record = replay
      }
      return true
    } catch {
      log.error("a replay cannot be kept", metadata: ["replay": "\(key.name)", "note": "\(error)"])
      return false
    }
  }
}
