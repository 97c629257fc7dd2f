// Which delivery comes next: due times, turns among targets, order within a lane. A value; Outbox.swift acts.
import MartletCore

/// What waits to be delivered, without its contents.
///
/// Targets take turns, and none may have more than a few deliveries under way: one that hangs holds up nobody else.
struct OutboxOrder: Sendable {
  /// What is delivered one after the other, in the order in which it came.
  struct Lane: Hashable, Sendable {
    let target: String
    /// Empty: in no order.
    let name: String
  }

  struct Ticket: Sendable, Equatable {
    let id: Int64
    let target: String
  }

  private struct Due: Comparable, Sendable {
    let moment: Timestamp
    let id: Int64

    static func < (a: Due, b: Due) -> Bool { a.moment == b.moment ? a.id < b.id : a.moment < b.moment }
  }

  private struct Target: Sendable {
    var ready = Heap<Int64>()
    var underWay = 0
  }

  private struct Entry: Sendable {
    let lane: Lane
    var due: Timestamp
  }

  private var entries: [Int64: Entry] = [:]
  private var later = Heap<Due>()
  private var targets: [String: Target] = [:]
  private var lanes: [Lane: Heap<Int64>] = [:]
  /// Targets whose turn comes, each once, with the number of the turn.
  private var turns = Heap<Turn>()
  private var lastTurn = 0
  private let limit: Int
  private let limitPerTarget: Int
  private(set) var underWay = 0

  private struct Turn: Comparable, Sendable {
    let number: Int
    let target: String

    static func < (a: Turn, b: Turn) -> Bool { a.number < b.number }
  }

  /// - Parameters:
  ///   - limit: deliveries under way at once, of all targets.
  ///   - limitPerTarget: of one.
  init(limit: Int, limitPerTarget: Int) {
    self.limit = limit
    self.limitPerTarget = limitPerTarget
  }

  /// All that is not over, with what is under way.
  var count: Int { entries.count }
  /// When something becomes due that is not yet.
  var nextDue: Timestamp? { later.first?.moment }
  /// Something can begin at once.
  var isBusy: Bool { underWay < limit && !turns.isEmpty }

  func count(of target: String) -> Int { entries.values.count { $0.lane.target == target } }

  /// - Parameter id: greater than those before it.
  mutating func add(_ id: Int64, target: String, lane: String, due: Timestamp) {
    let lane = Lane(target: target, name: lane)
    entries[id] = Entry(lane: lane, due: due)
    if !lane.name.isEmpty {
      lanes[lane, default: Heap()].insert(id)
      guard lanes[lane]?.first == id else { return }
    }
    later.insert(Due(moment: due, id: id))
  }

  /// Lets what is due by now be started.
  mutating func wake(at now: Timestamp) {
    while let first = later.first, first.moment <= now {
      later.removeFirst()
      guard let entry = entries[first.id] else { continue }
      let name = entry.lane.target
      targets[name, default: Target()].ready.insert(first.id)
      // Whoever has something ready and may begin has a turn.
      if targets[name]?.ready.count == 1 { takeTurn(name) }
    }
  }

  /// What is to be delivered now; nil if nothing may begin.
  mutating func start() -> Ticket? {
    guard underWay < limit, let turn = turns.removeFirst() else { return nil }
    guard let id = targets[turn.target]?.ready.removeFirst() else { preconditionFailure("who has a turn has work") }
    underWay += 1
    targets[turn.target]?.underWay += 1
    takeTurn(turn.target)
    return Ticket(id: id, target: turn.target)
  }

  /// It is delivered, or given up.
  mutating func finish(_ ticket: Ticket) {
    leave(ticket)
    guard let lane = entries.removeValue(forKey: ticket.id)?.lane, !lane.name.isEmpty else { return }
    lanes[lane]?.removeFirst()
    if let next = lanes[lane]?.first {
      later.insert(Due(moment: entries[next]?.due ?? .init(nanoseconds: 0), id: next))
    } else {
      lanes[lane] = nil
    }
  }

  /// It is tried again later; what comes after it in its lane waits.
  mutating func retry(_ ticket: Ticket, due: Timestamp) {
    leave(ticket)
    entries[ticket.id]?.due = due
    later.insert(Due(moment: due, id: ticket.id))
  }

  private mutating func leave(_ ticket: Ticket) {
    underWay -= 1
    guard var target = targets[ticket.target] else { preconditionFailure("a ticket has a target") }
    let wasFull = target.underWay == limitPerTarget
    target.underWay -= 1
    if target.underWay == 0 && target.ready.isEmpty {
      targets[ticket.target] = nil
    } else {
      targets[ticket.target] = target
      if wasFull { takeTurn(ticket.target) }
    }
  }

  /// Queues a target that has work and may begin it. It must have no turn yet.
  private mutating func takeTurn(_ name: String) {
    guard let target = targets[name], !target.ready.isEmpty, target.underWay < limitPerTarget else { return }
    lastTurn += 1
    turns.insert(Turn(number: lastTurn, target: name))
  }
}
