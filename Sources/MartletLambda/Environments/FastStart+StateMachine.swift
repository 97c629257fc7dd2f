// Which zygotes there are, and how many forks each has ready: decided here, purely. FastStart.swift acts.
import MartletCore

/// One zygote per key, as long as somebody starts environments from it. Moments are nanoseconds of a clock that never
/// goes back.
package struct FastStartStateMachine<Key: Hashable & Sendable, ID: Hashable & Sendable>: Sendable {
  package struct Limits: Sendable {
    /// Alive or coming up at one time.
    package var zygotes = 16
    /// How long one is kept that nobody uses.
    package var idle: Duration = .seconds(15 * 60)
    /// After this, or so many starts, a new one takes its place: all forks of one share their hash seed and the layout
    /// of their memory.
    package var age: Duration = .seconds(60 * 60)
    package var starts = 1000
    /// Forks that are ready, at least and at most.
    package var levels = 2...8
    /// How long after a failure the next attempt is made; doubled by each further failure, up to `longestWait`.
    package var wait: Duration = .seconds(60)
    package var longestWait: Duration = .seconds(60 * 60)

    package init() {}
  }

  package enum Action: Equatable, Sendable {
    case start(Key)
    case end(ID)
    case level(ID, Int)
  }

  fileprivate struct Up {
    let id: ID
    let since: UInt64
    var starts = 0
    var level: Int
  }

  fileprivate struct Entry {
    var up: Up?
    var isComing = false
    var failures = 0
    /// No attempt is made before.
    var waitUntil: UInt64?
    var lastUse: UInt64
    var demand: Demand
  }

  package let limits: Limits
  private var entries: [Key: Entry] = [:]

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// An environment of this kind is about to start: from which zygote, if there is one.
  package mutating func wanted(_ key: Key, at now: UInt64) -> (zygote: ID?, actions: [Action]) {
    var actions = expected(key, at: now)
    guard var entry = entries[key] else { return (nil, actions) }
    entry.demand.rise(at: now)
    entry.up?.starts += 1
    let id = entry.up?.id
    entries[key] = entry
    actions += adjust(key, at: now)
    actions += renew(key, at: now)
    return (id, actions)
  }

  /// Environments of this kind will be started, soon or late.
  package mutating func expected(_ key: Key, at now: UInt64) -> [Action] {
    var actions: [Action] = []
    if entries[key] == nil {
      if occupied >= limits.zygotes {
        guard let oldest = leastUsed(at: now) else { return [] }
        actions += remove(oldest)
      }
      entries[key] = Entry(lastUse: now, demand: Demand(at: now))
    }
    entries[key]?.lastUse = now
    return actions + (entries[key]?.up == nil ? begin(key, at: now) : [])
  }

  /// What was started is up.
  package mutating func came(_ key: Key, _ id: ID, at now: UInt64) -> [Action] {
    guard var entry = entries[key], entry.isComing else { return [.end(id)] }
    var actions: [Action] = entry.up.map { [.end($0.id)] } ?? []
    entry.isComing = false
    entry.failures = 0
    entry.waitUntil = nil
    entry.up = Up(id: id, since: now, level: 0)
    entries[key] = entry
    actions += adjust(key, at: now)
    return actions
  }

  /// What was started did not come up.
  package mutating func failed(_ key: Key, at now: UInt64) {
    guard var entry = entries[key], entry.isComing else { return }
    entry.isComing = false
    entry.failures += 1
    let wait = limits.wait.inNanoseconds << min(20, entry.failures - 1)
    entry.waitUntil = now &+ UInt64(min(wait, limits.longestWait.inNanoseconds))
    entries[key] = entry
  }

  /// What was up has ended by itself.
  package mutating func ended(_ key: Key, _ id: ID, at now: UInt64) -> [Action] {
    guard entries[key]?.up?.id == id else { return [] }
    entries[key]?.up = nil
    return begin(key, at: now)
  }

  /// Nobody will start from it any more.
  package mutating func drop(_ key: Key) -> [Action] { remove(key) }

  /// The host wants its memory back: what was not used for a window ends, and comes again when somebody wants it.
  package mutating func giveUp(at now: UInt64) -> [Action] {
    entries.filter { $0.value.up != nil && isOver($0.value.lastUse, by: Demand.window, at: now) }.keys
      .flatMap { remove($0) }
  }

  /// What is up for a key.
  package func up(_ key: Key) -> ID? { entries[key]?.up?.id }

  /// To be called every few seconds.
  package mutating func tick(at now: UInt64) -> [Action] {
    var actions: [Action] = []
    for key in Array(entries.keys) {
      guard let entry = entries[key] else { continue }
      if isOver(entry.lastUse, by: limits.idle, at: now) {
        actions += remove(key)
        continue
      }
      actions += adjust(key, at: now)
      actions += renew(key, at: now)
    }
    return actions
  }

  /// Zygotes that are up: their starts, and the level asked for.
  package var census: [(key: Key, isUp: Bool, starts: Int, level: Int, failures: Int)] {
    entries.map { ($0, $1.up != nil, $1.up?.starts ?? 0, $1.up?.level ?? 0, $1.failures) }
  }

  // MARK: -

  private var occupied: Int { entries.values.count { $0.up != nil || $0.isComing } }

  /// Of what is up and was not used for a window.
  private func leastUsed(at now: UInt64) -> Key? {
    entries.filter { $0.value.up != nil && !$0.value.isComing && isOver($0.value.lastUse, by: Demand.window, at: now) }
      .min { Int64(bitPattern: $0.value.lastUse &- $1.value.lastUse) < 0 }?.key
  }

  private mutating func begin(_ key: Key, at now: UInt64) -> [Action] {
    guard var entry = entries[key], !entry.isComing, occupied < limits.zygotes || entry.up != nil else { return [] }
    if let waitUntil = entry.waitUntil, Int64(bitPattern: now &- waitUntil) < 0 { return [] }
    entry.isComing = true
    entries[key] = entry
    return [.start(key)]
  }

  private mutating func renew(_ key: Key, at now: UInt64) -> [Action] {
    guard let up = entries[key]?.up, up.starts >= limits.starts || isOver(up.since, by: limits.age, at: now) else {
      return []
    }
    return begin(key, at: now)
  }

  private mutating func adjust(_ key: Key, at now: UInt64) -> [Action] {
    guard let up = entries[key]?.up, let demand = entries[key]?.demand.level(at: now) else { return [] }
    let level = min(limits.levels.upperBound, max(limits.levels.lowerBound, demand))
    guard level != up.level else { return [] }
    entries[key]?.up?.level = level
    return [.level(up.id, level)]
  }

  private mutating func remove(_ key: Key) -> [Action] {
    // One that is coming up is ended when it comes.
    entries.removeValue(forKey: key)?.up.map { [.end($0.id)] } ?? []
  }

  private func isOver(_ since: UInt64, by duration: Duration, at now: UInt64) -> Bool {
    Int64(bitPattern: now &- since) > duration.inNanoseconds
  }
}
