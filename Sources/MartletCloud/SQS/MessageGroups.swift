// Message groups of a FIFO queue: each in its order, and none received while a message of it is out.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
import MartletCore

struct MessageGroups: Sendable {
  private struct Group: Sendable {
    var waiting = SortedLine<Int64>()
    /// Messages that are in flight or leaving.
    var out = 0
  }

  private var groups: [String: Group] = [:]
  /// The first messages of the groups that may be received, the oldest first.
  private var heads = SortedLine<Int64>()
  private var groupOf: [Int64: String] = [:]
  /// The group that the current receive is taking from.
  private var open: String?
  private(set) var count = 0

  /// The oldest message that may be received, or will be.
  var first: Int64? { heads.first }

  mutating func add(_ sequence: Int64, to name: String) {
    withHead(of: name) { $0.waiting.insert(sequence) }
    groupOf[sequence] = name
    count += 1
  }

  mutating func remove(_ sequence: Int64, of name: String) {
    var wasThere = false
    withHead(of: name) { wasThere = $0.waiting.remove(sequence) }
    groupOf[sequence] = nil
    if wasThere { count -= 1 }
  }

  mutating func lock(_ name: String) { withHead(of: name) { $0.out += 1 } }

  mutating func unlock(_ name: String) { withHead(of: name) { $0.out = max(0, $0.out - 1) } }

  /// Takes the next message, which is out then: of the group that was taken from before, as long as it has any.
  /// - Parameter isDue: tells whether a message may be received yet.
  mutating func next(_ isDue: (Int64) -> Bool) -> Int64? {
    if let open, let head = groups[open]?.waiting.first, isDue(head) { return take(head, open) }
    guard let head = heads.first, isDue(head), let name = groupOf[head] else { return nil }
    open = name
    return take(head, name)
  }

  /// The receive is over.
  mutating func close() { open = nil }

  private mutating func take(_ head: Int64, _ name: String) -> Int64 {
    withHead(of: name) { group in
      group.waiting.removeFirst()
      group.out += 1
    }
    groupOf[head] = nil
    count -= 1
    return head
  }

  /// How many messages more than twice `window` wait.
  func tailRoom(_ window: Int) -> Int { count - 2 * window }

  /// Changes a group, and its place among those that may be received.
  private mutating func withHead(of name: String, _ body: (inout Group) -> Void) {
    let before = groups[name].flatMap { $0.out == 0 ? $0.waiting.first : nil }
    body(&groups[name, default: Group()])
    let after = groups[name].flatMap { $0.out == 0 ? $0.waiting.first : nil }
    if before != after {
      if let before { heads.remove(before) }
      if let after { heads.insert(after) }
    }
    if let group = groups[name], group.out == 0, group.waiting.isEmpty { groups[name] = nil }
  }
}

// MARK: - Receives that are made again

extension QueueStateMachine {
  /// A receive with an id of its own, which gets the same messages when it is made again.
  struct Attempt: Sendable {
    let deliveries: [Delivery]
    let made: Int64
  }

  /// How long an attempt is remembered.
  static let attemptAge: Int64 = 300_000

  mutating func remember(_ id: String, _ deliveries: [Delivery], now: Int64) {
    if attempts.count > 1000 { attempts = attempts.filter { $0.value.made + QueueStateMachine.attemptAge > now } }
    attempts[id] = Attempt(deliveries: deliveries, made: now)
  }

  /// The messages of an earlier attempt, if all of them are still hidden by it. They are hidden anew.
  mutating func repeated(_ id: String, _ waiter: Waiter, now: Int64) -> [Delivery]? {
    guard let attempt = attempts[id], attempt.made + QueueStateMachine.attemptAge > now else { return nil }
    let isIntact = attempt.deliveries.allSatisfy { delivery in
      guard case .inFlight(let until, delivery.receipt)? = entries[delivery.sequence]?.phase else { return false }
      return until > now
    }
    guard isIntact else { return nil }
    let until = now + waiter.visibility
    return attempt.deliveries.map { delivery in
      entries[delivery.sequence]?.phase = .inFlight(until: until, receipt: delivery.receipt)
      flights.insert(Flight(until: until, sequence: delivery.sequence, receipt: delivery.receipt))
      return Delivery(
        sequence: delivery.sequence, receipt: delivery.receipt, receives: delivery.receives,
        firstReceived: delivery.firstReceived, until: until)
    }
  }
}
