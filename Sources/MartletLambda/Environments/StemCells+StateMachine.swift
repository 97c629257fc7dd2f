// Which stem cells there are, and which of them the next environment gets: decided here, purely. StemCells.swift acts.
import MartletCore

/// Cells of several kinds, ready for demand. Moments are nanoseconds of a clock that never goes back.
package struct StemCellsStateMachine<Key: Hashable & Sendable, ID: Hashable & Sendable>: Sendable {
  package struct Limits: Sendable {
    /// Mebibytes of those that are ready or coming up, of all kinds together.
    package var weight = 480
    /// Mebibytes of one kind, whatever the demand, where there is room; and one there is in any case.
    package var least = 40
    /// Of one kind, how many come up at one time, at most.
    package var abreast = 4
    /// For so long after somebody found none, who starts without is left alone: a kind gets one with each tick.
    package var rest: Duration = .seconds(1)
    /// How long a kind is kept that nobody uses.
    package var idle: Duration = .seconds(15 * 60)
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
    /// There are others that do the same, slower.
    let isExtra: Bool
    /// How many come up at one time.
    let abreast: Int
    var demand: Demand
    var taken = 0
    /// Asked for when none was ready.
    var missed = 0
    /// How many are to be there, as far as there is room.
    var wanted = 0

    var count: Int { ready.count + coming }
  }

  package let limits: Limits
  private var kinds: [Key: Kind] = [:]
  /// When somebody found none.
  private var lastMiss: UInt64?

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// An environment of this kind is about to start: the cell that it gets, if there is one. What takes its place is
  /// started by the next tick, not now: it would compete with whoever starts now.
  package mutating func take(_ key: Key, at now: UInt64) -> ID? {
    guard var kind = kinds[key] else { return nil }
    defer { kinds[key] = kind }
    kind.lastUse = now
    kind.demand.rise(at: now)
    guard !kind.ready.isEmpty else {
      kind.missed += 1
      lastMiss = now
      return nil
    }
    kind.taken += 1
    return kind.ready.removeFirst()
  }

  /// Environments of this kind will be started, soon or late.
  /// - Parameter weight: mebibytes of each cell.
  /// - Parameter isExtra: cells of another kind do the same, slower: these have their room first.
  /// - Parameter abreast: how many may come up at one time.
  package mutating func expected(
    _ key: Key, weight: Int, isExtra: Bool = false, abreast: Int = .max, at now: UInt64
  ) {
    if kinds[key] == nil {
      kinds[key] = Kind(
        lastUse: now, weight: weight, isExtra: isExtra, abreast: min(abreast, limits.abreast), demand: Demand(at: now))
    }
    kinds[key]?.lastUse = now
  }

  /// The same, and what they are made from is new: what failed before says nothing about it. One cell is started at
  /// once if there is none, and room for it: the next tick is a second away.
  package mutating func renewed(_ key: Key, weight: Int, at now: UInt64) -> [Action] {
    expected(key, weight: weight, at: now)
    let used = kinds.values.reduce(0) { $0 + $1.count * $1.weight }
    guard var kind = kinds[key] else { return [] }
    defer { kinds[key] = kind }
    if kind.failures > 0 { (kind.failures, kind.waitUntil) = (0, nil) }
    guard kind.count == 0, used + weight <= limits.weight else { return [] }
    kind.wanted = max(1, kind.wanted)
    return fill(key, &kind, at: now)
  }

  /// What was started is up.
  package mutating func came(_ key: Key, _ id: ID, at now: UInt64) -> [Action] {
    guard var kind = kinds[key], kind.coming > 0 else { return [.end(id)] }
    kind.coming -= 1
    kind.failures = 0
    kind.ready.append(id)
    defer { kinds[key] = kind }
    // Those that come one by one take nothing from anybody that is worth waiting for.
    return isResting(at: now) && kind.abreast > 1 ? [] : fill(key, &kind, at: now)
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

  /// The host wants its memory back: what is ready ends, nothing is made for a while, and then few.
  package mutating func giveUp(at now: UInt64) -> [Action] {
    var actions: [Action] = []
    for key in Array(kinds.keys) {
      actions += kinds[key]?.ready.map { .end($0) } ?? []
      kinds[key]?.ready = []
      kinds[key]?.demand = Demand(at: now)
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
    let order = kinds.sorted { Int64(bitPattern: $0.value.lastUse &- $1.value.lastUse) > 0 }.map(\.key)
    divide(among: order, at: now)
    for key in order {
      guard var kind = kinds[key] else { continue }
      while kind.ready.count > kind.wanted { actions.append(.end(kind.ready.removeFirst())) }
      actions += fill(key, &kind, at: now)
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

  /// How many of each there are to be. One for each, who was used last first: where there is no room, others get none.
  /// Then more for each, so that all have the same share of the memory or what they want: kinds which are used by turns
  /// do not take it from each other, and a large one takes no more of it than a small one.
  private mutating func divide(among order: [Key], at now: UInt64) {
    var room = limits.weight
    for isExtra in [false, true] {
      for key in order where kinds[key]?.isExtra == isExtra {
        let fits = kinds[key].map { $0.weight <= room } ?? false
        kinds[key]?.wanted = fits ? 1 : 0
        room -= fits ? kinds[key]?.weight ?? 0 : 0
      }
    }
    for isExtra in [false, true] {
      var growing = order.compactMap { key -> Growing? in
        guard var kind = kinds[key], kind.isExtra == isExtra, kind.wanted > 0 else { return nil }
        let goal = max(1, limits.least / kind.weight, kind.demand.level(at: now))
        kinds[key]?.demand = kind.demand
        return Growing(key: key, weight: kind.weight, goal: goal)
      }
      // Ties go to who was used last.
      while let next = growing.indices.filter({ growing[$0].canGrow(in: room) }).min(by: {
        growing[$0].share < growing[$1].share
      }) {
        growing[next].wanted += 1
        room -= growing[next].weight
      }
      for kind in growing { kinds[kind.key]?.wanted = kind.wanted }
    }
  }

  private struct Growing {
    let key: Key
    let weight: Int
    let goal: Int
    var wanted = 1
    var share: Int { wanted * weight }
    func canGrow(in room: Int) -> Bool { wanted < goal && weight <= room }
  }

  /// Starts what is wanted, some at a time: the others follow when these have come.
  private func fill(_ key: Key, _ kind: inout Kind, at now: UInt64) -> [Action] {
    if let waitUntil = kind.waitUntil, Int64(bitPattern: now &- waitUntil) < 0 { return [] }
    let abreast = isResting(at: now) ? 1 : kind.abreast
    let count = max(0, min(kind.wanted - kind.count, abreast - kind.coming))
    kind.coming += count
    return Array(repeating: .start(key), count: count)
  }

  private func isResting(at now: UInt64) -> Bool {
    lastMiss.map { !isOver($0, by: limits.rest, at: now) } ?? false
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
