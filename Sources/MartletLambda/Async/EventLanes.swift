// Which event is tried next. A value that holds ids and due times only, so that 100,000 waiting events are a few
// megabytes; the shell around it is EventQueue.swift.
import MartletCore

/// Events of one function wait in one lane. A function that is throttled blocks its own lane and no other: its events
/// are not tried one by one to be refused one by one, but go on when an attempt of the function has ended, or when the
/// back-off of the first of them is over.
package struct EventLanes: Sendable {
  /// What waits together.
  package struct Key: Hashable, Sendable {
    package let function: FunctionReference
    /// What waits is a record for a destination, not an event for the function.
    package let isDelivery: Bool

    package init(_ function: FunctionReference, isDelivery: Bool = false) {
      self.function = function
      self.isDelivery = isDelivery
    }
  }

  /// The right to try one event.
  package struct Ticket: Sendable, Equatable {
    package let id: Int64
    package let key: Key
    fileprivate let lane: Int32
    /// How many attempts of the lane's had ended when this one began.
    fileprivate let endings: UInt32
  }

  private struct Lane {
    let key: Key
    /// Ids that are due, from `head` on.
    var ready: [Int64] = []
    var head = 0
    /// Ids whose time is to come, and attempts that are under way: while there are any the lane is kept.
    var members = 0
    var endings: UInt32 = 0
    var underWay = 0
    /// Attempts that may be under way, and when there may be half as many more.
    var width = EventLanes.firstWidth
    var widerAt: Timestamp?
    var blockedUntil: Timestamp?
    var isListed = false

    var hasReady: Bool { head < ready.count }
  }

  private struct Due: Comparable {
    let time: Timestamp
    /// nil: the lane's back-off is over.
    let id: Int64?
    let lane: Int32

    static func < (a: Due, b: Due) -> Bool { a.time == b.time ? (a.id ?? -1) < (b.id ?? -1) : a.time < b.time }
  }

  private var lanes: [Int32: Lane] = [:]
  private var numbers: [Key: Int32] = [:]
  private var lastNumber: Int32 = 0
  private var waiting = Heap<Due>()
  /// Lanes with an event to try, in the order of their turns.
  private var turns: [Int32] = []
  private var turnsHead = 0
  private var blocked: [Int32] = []
  private let limit: Int
  /// Attempts under way.
  package private(set) var underWay = 0
  /// Events that are not under way.
  package private(set) var count = 0

  /// - Parameter limit: attempts that may be under way at the same time.
  package init(limit: Int) { self.limit = limit }

  /// Of a lane. It grows by half in each second in which it is not enough: to a thousand in ten, as AWS scales, while a
  /// burst for a quick function does not start a thousand environments.
  static let firstWidth = 16
  static let widening = Duration.seconds(1)

  // MARK: - Coming

  package mutating func add(_ id: Int64, _ key: Key, due: Timestamp) {
    let number = number(of: key)
    lanes[number]?.members += 1
    count += 1
    waiting.insert(Due(time: due, id: id, lane: number))
  }

  /// The same for an event that is due now.
  package mutating func add(_ id: Int64, _ key: Key) {
    let number = number(of: key)
    lanes[number]?.members += 1
    lanes[number]?.ready.append(id)
    count += 1
    list(number)
  }

  /// When something will be due; nil = nothing waits for time.
  package var nextDue: Timestamp? { waiting.first?.time }

  /// True if attempts are under way or can begin.
  package var isBusy: Bool { underWay > 0 || turnsHead < turns.count }

  /// True if an attempt can begin, as far as is known before it is tried.
  var canBegin: Bool { underWay < limit && turnsHead < turns.count }

  /// Takes notice of the time.
  package mutating func wake(at now: Timestamp) {
    while let due = waiting.first, due.time <= now {
      waiting.removeFirst()
      if let id = due.id {
        lanes[due.lane]?.ready.append(id)
        list(due.lane)
      } else if lanes[due.lane]?.blockedUntil == due.time {
        unblock(due.lane)
      }
    }
  }

  // MARK: - Going

  /// The next event to try, lane by lane; nil if there is none, or no room.
  package mutating func start(at now: Timestamp) -> Ticket? {
    guard underWay < limit else { return nil }
    while let number = nextTurn() {
      guard var lane = lanes[number], lane.hasReady else { preconditionFailure("a listed lane has an event") }
      lane.isListed = false
      if lane.underWay >= lane.width, let widerAt = lane.widerAt, widerAt <= now {
        lane.width += lane.width / 2
        lane.widerAt = nil
      }
      guard lane.underWay < lane.width else {
        let widerAt = lane.widerAt ?? now + EventLanes.widening
        lane.widerAt = widerAt
        lanes[number] = lane
        block(number, until: widerAt)
        continue
      }
      let id = lane.ready[lane.head]
      lane.head += 1
      if lane.head > 1024, lane.head * 2 > lane.ready.count {
        lane.ready.removeFirst(lane.head)
        lane.head = 0
      }
      lane.underWay += 1
      lanes[number] = lane
      list(number)
      underWay += 1
      count -= 1
      return Ticket(id: id, key: lane.key, lane: number, endings: lane.endings)
    }
    return nil
  }

  private mutating func nextTurn() -> Int32? {
    guard turnsHead < turns.count else { return nil }
    defer {
      turnsHead += 1
      if turnsHead > 1024, turnsHead * 2 > turns.count {
        turns.removeFirst(turnsHead)
        turnsHead = 0
      }
    }
    return turns[turnsHead]
  }

  /// The attempt is over, and the event as well.
  package mutating func finish(_ ticket: Ticket) {
    leave(ticket)
    ended(ticket)
    forget(ticket.lane)
  }

  /// The attempt is over, and the event is tried again at `due`.
  package mutating func retry(_ ticket: Ticket, due: Timestamp) {
    leave(ticket)
    add(ticket.id, ticket.key, due: due)
    ended(ticket)
  }

  /// There was no room for the attempt: the event stays the first of its lane, and the lane waits.
  package mutating func refuse(_ ticket: Ticket, until moment: Timestamp) {
    leave(ticket)
    count += 1
    guard var lane = lanes[ticket.lane] else { preconditionFailure("an attempt keeps its lane") }
    lane.members += 1
    if lane.head > 0 {
      lane.head -= 1
      lane.ready[lane.head] = ticket.id
    } else {
      lane.ready.insert(ticket.id, at: 0)
    }
    lanes[ticket.lane] = lane
    // Room was made meanwhile: whoever took it may have been another, but it is worth a try.
    if lane.endings != ticket.endings { list(ticket.lane) } else { block(ticket.lane, until: moment) }
  }

  // MARK: - Lanes

  private mutating func leave(_ ticket: Ticket) {
    precondition(underWay > 0, "an attempt ends once")
    underWay -= 1
    lanes[ticket.lane]?.members -= 1
    lanes[ticket.lane]?.underWay -= 1
  }

  /// Room was made: for the lanes of the same function, and for one that has waited for longest.
  private mutating func ended(_ ticket: Ticket) {
    let function = ticket.key.function.key
    lanes[ticket.lane]?.endings &+= 1
    guard !blocked.isEmpty else { return }
    let mine = blocked.filter { lanes[$0]?.key.function.key == function }
    let other = blocked.first { !mine.contains($0) }
    for number in mine + (other.map { [$0] } ?? []) { unblock(number) }
  }

  private mutating func block(_ number: Int32, until moment: Timestamp) {
    unlist(number)
    if let until = lanes[number]?.blockedUntil {
      guard moment < until else { return }
    } else {
      blocked.append(number)
    }
    lanes[number]?.blockedUntil = moment
    waiting.insert(Due(time: moment, id: nil, lane: number))
  }

  private mutating func unblock(_ number: Int32) {
    blocked.removeAll { $0 == number }
    lanes[number]?.blockedUntil = nil
    list(number)
    forget(number)
  }

  private mutating func list(_ number: Int32) {
    guard let lane = lanes[number], lane.hasReady, !lane.isListed, lane.blockedUntil == nil else { return }
    lanes[number]?.isListed = true
    turns.append(number)
  }

  private mutating func unlist(_ number: Int32) {
    guard lanes[number]?.isListed == true else { return }
    lanes[number]?.isListed = false
    turns[turnsHead...].removeAll { $0 == number }
  }

  private mutating func number(of key: Key) -> Int32 {
    if let number = numbers[key] { return number }
    lastNumber += 1
    numbers[key] = lastNumber
    lanes[lastNumber] = Lane(key: key)
    return lastNumber
  }

  private mutating func forget(_ number: Int32) {
    guard let lane = lanes[number], lane.members == 0, lane.blockedUntil == nil else { return }
    lanes[number] = nil
    numbers[lane.key] = nil
  }
}
