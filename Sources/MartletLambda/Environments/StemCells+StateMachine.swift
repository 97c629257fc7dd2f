// Which stem cells there are, and which of them the next environment gets: decided here, purely. StemCells.swift acts.
import MartletCore

/// Cells of several kinds, ready for demand. Moments are nanoseconds of a clock that never goes back.
package struct StemCellsStateMachine<Key: Hashable & Sendable, ID: Hashable & Sendable>: Sendable {
  package struct Limits: Sendable {
    /// Mebibytes of those that are ready or coming up, of all kinds together.
    package var weight = 480
    /// Of one kind, at least and at most.
    package var levels = 1...4
    /// How long a kind is kept that nobody uses.
    package var idle: Duration = .seconds(15 * 60)
    /// Over which demand is counted.
    package var window: Duration = .seconds(10)
    /// How long after a failure the next attempt is made; doubled by each further failure, up to `longestWait`.
    package var wait: Duration = .seconds(60)
    package var longestWait: Duration = .seconds(60 * 60)

    package init() {}
  }

  package enum Action: Equatable, Sendable {
    case start(Key)
    case end(ID)
  }

  private struct Kind {
    /// The oldest first.
    var ready: [ID] = []
    var coming = 0
    var failures = 0
    /// No attempt is made before.
    var waitUntil: UInt64?
    var lastUse: UInt64
    /// Mebibytes of each.
    let weight: Int
    /// Taken in the window that has begun at `windowSince`, and in the one before.
    var windowSince: UInt64
    var current = 0
    var previous = 0
    var taken = 0
    /// Asked for when none was ready.
    var missed = 0
  }

  package let limits: Limits
  private var kinds: [Key: Kind] = [:]

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// An environment of this kind is about to start: the cell that it gets, if there is one. What takes its place is
  /// started by the next tick, not now: it would compete with whoever starts now.
  package mutating func take(_ key: Key, at now: UInt64) -> ID? {
    guard var kind = kinds[key] else { return nil }
    defer { kinds[key] = kind }
    kind.lastUse = now
    count(&kind, at: now)
    kind.current += 1
    guard !kind.ready.isEmpty else {
      kind.missed += 1
      return nil
    }
    kind.taken += 1
    return kind.ready.removeFirst()
  }

  /// Environments of this kind will be started, soon or late.
  /// - Parameter weight: mebibytes of each cell.
  package mutating func expected(_ key: Key, weight: Int, at now: UInt64) {
    if kinds[key] == nil { kinds[key] = Kind(lastUse: now, weight: weight, windowSince: now) }
    kinds[key]?.lastUse = now
  }

  /// What was started is up. False if it is not wanted any more: then the caller ends it.
  package mutating func came(_ key: Key, _ id: ID) -> Bool {
    guard kinds[key] != nil, kinds[key]?.coming ?? 0 > 0 else { return false }
    kinds[key]?.coming -= 1
    kinds[key]?.failures = 0
    kinds[key]?.waitUntil = nil
    kinds[key]?.ready.append(id)
    return true
  }

  /// What was started did not come up, or has ended before anybody took it.
  package mutating func failed(_ key: Key, _ id: ID, at now: UInt64) {
    guard var kind = kinds[key] else { return }
    if let index = kind.ready.firstIndex(of: id) {
      kind.ready.remove(at: index)
    } else {
      guard kind.coming > 0 else { return }
      kind.coming -= 1
    }
    kind.failures += 1
    let wait = limits.wait.inNanoseconds << min(20, kind.failures - 1)
    kind.waitUntil = now &+ UInt64(min(wait, limits.longestWait.inNanoseconds))
    kinds[key] = kind
  }

  /// What was to be started is not, for no fault of its own.
  package mutating func withdrew(_ key: Key) {
    if kinds[key]?.coming ?? 0 > 0 { kinds[key]?.coming -= 1 }
  }

  /// Nobody will take any of this kind any more.
  package mutating func drop(_ key: Key) -> [Action] {
    kinds.removeValue(forKey: key)?.ready.map { .end($0) } ?? []
  }

  /// The host wants its memory back: what is ready ends, and nothing is made for a while.
  package mutating func giveUp(at now: UInt64) -> [Action] {
    var actions: [Action] = []
    for key in Array(kinds.keys) {
      actions += kinds[key]?.ready.map { .end($0) } ?? []
      kinds[key]?.ready = []
      kinds[key]?.waitUntil = now &+ UInt64(limits.wait.inNanoseconds)
    }
    return actions
  }

  /// To be called every second or so.
  package mutating func tick(at now: UInt64) -> [Action] {
    var actions: [Action] = []
    for (key, kind) in kinds where isOver(kind.lastUse, by: limits.idle, at: now) {
      actions += kind.ready.map { .end($0) }
      kinds[key] = nil
    }
    // Who was used last comes first: where there is not enough for all, the others get none.
    let order = kinds.sorted { Int64(bitPattern: $0.value.lastUse &- $1.value.lastUse) > 0 }.map(\.key)
    var room = limits.weight
    for key in order {
      guard var kind = kinds[key] else { continue }
      count(&kind, at: now)
      let wanted = min(
        room / kind.weight,
        max(limits.levels.lowerBound, min(limits.levels.upperBound, max(kind.current, kind.previous))))
      while kind.ready.count > wanted { actions.append(.end(kind.ready.removeFirst())) }
      if kind.waitUntil.map({ Int64(bitPattern: now &- $0) >= 0 }) ?? true {
        while kind.ready.count + kind.coming < wanted {
          kind.coming += 1
          actions.append(.start(key))
        }
      }
      room -= min(room, (kind.ready.count + kind.coming) * kind.weight)
      kinds[key] = kind
    }
    return actions
  }

  package var census: [(key: Key, figures: StemCellFigures)] {
    kinds.map { key, kind in
      (
        key,
        StemCellFigures(
          ready: kind.ready.count, coming: kind.coming, taken: kind.taken, missed: kind.missed,
          failures: kind.failures)
      )
    }
  }

  /// Closes windows that are over.
  private func count(_ kind: inout Kind, at now: UInt64) {
    let passed = Int64(bitPattern: now &- kind.windowSince) / limits.window.inNanoseconds
    guard passed > 0 else { return }
    kind.previous = passed == 1 ? kind.current : 0
    kind.current = 0
    kind.windowSince = kind.windowSince &+ UInt64(passed * limits.window.inNanoseconds)
  }

  private func isOver(_ since: UInt64, by duration: Duration, at now: UInt64) -> Bool {
    Int64(bitPattern: now &- since) > duration.inNanoseconds
  }
}

/// How it stands with the cells of one kind.
package struct StemCellFigures: Equatable, Sendable {
  package let ready: Int
  package let coming: Int
  /// Since the kind is known: environments that got one, and that would have.
  package let taken: Int
  package let missed: Int
  package let failures: Int
}
