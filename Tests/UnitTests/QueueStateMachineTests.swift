// A queue's machine on simulated time: what each event leads to, and what holds whatever happens in whatever order.
import MartletCore
import Testing

@testable import MartletCloud

/// A queue with its disk: does at once what the machine wants done, or later where a test says so.
private struct SimulatedQueue {
  var machine: QueueStateMachine
  var now: Int64 = 1_000_000
  /// What is on disk.
  var disk: [Int64: QueueStateMachine.Arrival] = [:]
  /// What receivers got, by their number.
  var answers: [Int: [QueueStateMachine.Delivery]] = [:]
  var refused: Set<Int> = []
  var dead: [Int64] = []
  var expired: [Int64] = []
  /// Pages that were asked for and not read yet.
  var loads: [(after: QueueStateMachine.Position?, count: Int)] = []
  var readsAtOnce = true
  var sequence: Int64 = 0
  var receiver = 0

  init(_ settings: QueueStateMachine.Settings) { machine = QueueStateMachine(settings) }

  @discardableResult
  mutating func send(delay: Int64 = 0, group: String? = nil) -> Int64 {
    sequence += 1
    let arrival = QueueStateMachine.Arrival(sequence: sequence, due: now + delay, sent: now, group: group)
    disk[sequence] = arrival
    var actions: [QueueStateMachine.Action] = []
    machine.arrive(arrival, now: now, &actions)
    perform(actions)
    return sequence
  }

  @discardableResult
  mutating func receive(
    _ count: Int = 1, visibility: Int64 = 30_000, wait: Int64 = 0, attempt: String? = nil
  ) -> [QueueStateMachine.Delivery] {
    receiver += 1
    var actions: [QueueStateMachine.Action] = []
    machine.receive(
      .init(
        id: receiver, count: count, visibility: visibility, deadline: now + wait, isShort: wait == 0, attempt: attempt),
      now: now, &actions)
    perform(actions)
    return answers[receiver] ?? []
  }

  mutating func delete(_ delivery: QueueStateMachine.Delivery) -> QueueStateMachine.Leave {
    let leave = machine.leave(delivery.sequence, receipt: delivery.receipt)
    if leave == .go {
      disk[delivery.sequence] = nil
      var actions: [QueueStateMachine.Action] = []
      machine.left(delivery.sequence, now: now, &actions)
      perform(actions)
    }
    return leave
  }

  mutating func change(_ delivery: QueueStateMachine.Delivery, _ visibility: Int64) -> QueueStateMachine.Change {
    var actions: [QueueStateMachine.Action] = []
    let change = machine.change(
      delivery.sequence, receipt: delivery.receipt, visibility: visibility, now: now, &actions)
    perform(actions)
    return change
  }

  mutating func pass(_ span: Int64) {
    now += span
    var actions: [QueueStateMachine.Action] = []
    machine.pass(now: now, &actions)
    perform(actions)
  }

  mutating func read() {
    guard !loads.isEmpty else { return }
    let (after, count) = loads.removeFirst()
    let page = disk.values.filter { arrival in after.map { arrival.position > $0 } != false }
      .sorted { $0.position < $1.position }.prefix(count)
    var actions: [QueueStateMachine.Action] = []
    machine.loaded(Array(page), isEnd: page.count < count, now: now, &actions)
    perform(actions)
  }

  mutating func perform(_ actions: [QueueStateMachine.Action]) {
    for action in actions {
      switch action {
      case .deliver(let waiter, let deliveries): answers[waiter] = deliveries
      case .refuse(let waiter): refused.insert(waiter)
      case .deadLetter(let sequences):
        dead += sequences
        for sequence in sequences {
          disk[sequence] = nil
          var more: [QueueStateMachine.Action] = []
          machine.left(sequence, now: now, &more)
          perform(more)
        }
      case .expire(let sequences):
        expired += sequences
        for sequence in sequences { disk[sequence] = nil }
      case .forget: break
      case .load(let after, let count):
        loads.append((after, count))
        if readsAtOnce { read() }
      }
    }
  }
}

@Suite struct QueueStateMachineTests {
  private func queue(
    fifo: Bool = false, maxReceives: Int? = nil, window: Int = 1000, flights: Int = 1000
  ) -> SimulatedQueue {
    SimulatedQueue(
      .init(isFIFO: fifo, retention: 3_600_000, maxReceives: maxReceives, flightLimit: flights, window: window))
  }

  @Test func messagesAreHiddenAndComeBack() {
    var q = queue()
    let first = q.send()
    let got = q.receive()
    #expect(got.map(\.sequence) == [first] && got[0].receives == 1)
    #expect(q.receive().isEmpty)
    q.pass(29_999)
    #expect(q.receive().isEmpty)
    q.pass(1)
    let again = q.receive()
    #expect(again.map(\.sequence) == [first] && again[0].receives == 2 && again[0].receipt != got[0].receipt)
    #expect(again[0].firstReceived == got[0].firstReceived)
    #expect(q.change(got[0], 10) == .notInFlight, "an older handle hides nothing")
    #expect(q.delete(got[0]) == .go, "but it deletes, as AWS's standard queues do")
    #expect(q.delete(again[0]) == .unknown && q.machine.entries.isEmpty)
  }

  @Test func visibilityCanBeChangedUpToTwelveHours() {
    var q = queue()
    q.send()
    let got = q.receive(visibility: 43_200_000)[0]
    q.pass(1000)
    #expect(q.change(got, 43_200_000) == .beyondLimit)
    #expect(q.change(got, 60_000) == .done(until: q.now + 60_000))
    q.pass(60_000)
    #expect(q.receive().count == 1)
    var other = queue()
    other.send()
    let taken = other.receive()[0]
    #expect(other.change(taken, 0) == .done(until: 0))
    #expect(
      other.receive().count == 1
        && other.change(.init(sequence: 9, receipt: 9, receives: 1, firstReceived: 0, until: 0), 0) == .unknown)
  }

  @Test func receiversWaitInOrderAndNotForEver() {
    var q = queue()
    q.receive(wait: 20_000)
    q.receive(wait: 5000)
    #expect(q.machine.nextWake(now: q.now) == q.now + 5000)
    q.send()
    #expect(q.answers[1]?.count == 1 && q.answers[2] == nil)
    q.pass(5000)
    #expect(q.answers[2]?.isEmpty == true)
    q.receive(wait: 20_000)
    q.pass(20_000)
    #expect(q.answers[3]?.isEmpty == true)
    q.receive(wait: 20_000)
    q.pass(5000)
    #expect(q.answers[4]?.map(\.sequence) == [1], "what comes back wakes a receiver")
    let isWaiting = q.machine.cancel(waiter: 4)
    #expect(!isWaiting)
  }

  @Test func delaysHoldBack() {
    var q = queue()
    let late = q.send(delay: 900_000)
    let soon = q.send(delay: 1000)
    #expect(q.machine.counts(now: q.now).delayed == 2 && q.receive().isEmpty)
    q.receive(10, wait: 20_000)
    #expect(q.machine.nextWake(now: q.now) == q.now + 1000)
    q.pass(1000)
    #expect(q.answers[2]?.map(\.sequence) == [soon])
    q.pass(899_000)
    #expect(q.receive(10).contains { $0.sequence == late })
  }

  @Test func tooOftenReceivedIsGivenUp() {
    var q = queue(maxReceives: 2)
    let poison = q.send()
    let good = q.send()
    for _ in 0..<2 {
      let got = q.receive(10, visibility: 1000)
      for delivery in got where delivery.sequence == good { _ = q.delete(delivery) }
      q.pass(1000)
    }
    #expect(q.receive().isEmpty && q.dead == [poison] && q.machine.entries.isEmpty)
  }

  @Test func oldMessagesExpire() {
    var q = queue()
    q.send()
    q.pass(3_599_999)
    q.send()
    #expect(q.machine.nextWake(now: q.now) == q.now + 1)
    q.pass(1)
    #expect(q.expired == [1] && q.receive(10).map(\.sequence) == [2])
  }

  @Test func tooManyInFlightIsRefused() {
    var q = queue(flights: 3)
    for _ in 0..<5 { q.send() }
    #expect(q.receive(10).count == 3)
    q.receive()
    #expect(q.refused == [2])
    q.receive(wait: 20_000)
    #expect(q.answers[3] == nil)
    q.pass(20_000)
    #expect(q.answers[3]?.isEmpty == true, "a receiver that waits gets nothing")
  }

  @Test func groupsAreInOrderAndOneAtATime() {
    var q = queue(fifo: true)
    for group in ["a", "a", "b", "a", "c"] { q.send(group: group) }
    let first = q.receive(2)
    #expect(first.map(\.sequence) == [1, 2], "as many as possible of one group")
    let second = q.receive(10)
    #expect(second.map(\.sequence) == [3, 5], "a group that is out is locked")
    #expect(q.delete(first[0]) == .go && q.receive().isEmpty)
    #expect(q.change(first[1], 0) == .done(until: 0))
    #expect(q.receive(10).map(\.sequence) == [2, 4])
    #expect(q.delete(first[1]) == .expired, "of FIFO queues only the last handle counts")
  }

  @Test func aDeadLetterLocksItsGroupUntilItHasLeft() {
    var q = queue(fifo: true, maxReceives: 1)
    q.send(group: "a")
    q.send(group: "a")
    #expect(q.receive(visibility: 0).map(\.sequence) == [1])
    #expect(q.receive(10).map(\.sequence) == [2] && q.dead == [1])
  }

  @Test func anAttemptThatIsMadeAgainGetsTheSame() {
    var q = queue(fifo: true)
    for _ in 0..<3 { q.send(group: "a") }
    let got = q.receive(2, attempt: "x")
    q.pass(1000)
    let again = q.receive(2, attempt: "x")
    #expect(again.map(\.receipt) == got.map(\.receipt) && again[0].until == q.now + 30_000)
    #expect(q.delete(again[0]) == .go)
    #expect(q.receive(2, attempt: "x").isEmpty, "no more once one is gone")
  }

  @Test func memoryHoldsTheFrontOnly() {
    for fifo in [false, true] {
      var q = queue(fifo: fifo, window: 10, flights: 10_000)
      for i in 0..<500 { q.send(group: fifo ? "g\(i % 7)" : nil) }
      #expect(q.machine.entries.count <= 20 && q.machine.tail >= 480)
      #expect(q.machine.counts(now: q.now).visible == 500)
      var got: [Int64] = []
      while case let batch = q.receive(10), !batch.isEmpty {
        got += batch.map(\.sequence)
        for delivery in batch { #expect(q.delete(delivery) == .go) }
        #expect(q.machine.entries.count <= 20)
      }
      #expect(got.sorted() == Array(1...500), "fifo \(fifo)")
      if !fifo { #expect(got == got.sorted()) }
    }
  }

  @Test func aReceiverWaitsForAPage() {
    var q = queue(window: 4)
    for _ in 0..<20 { q.send() }
    q.readsAtOnce = false
    var got = 0
    while case let batch = q.receive(10), !batch.isEmpty { got += batch.count }
    #expect(got < 20 && q.answers[q.receiver] == nil, "the disk is not read yet")
    q.read()
    #expect(q.answers[q.receiver]?.isEmpty == false)
  }

  @Test func aPurgeLeavesNothing() {
    var q = queue(window: 4)
    for _ in 0..<20 { q.send() }
    q.receive(3)
    q.machine.purge()
    q.disk = [:]
    #expect(q.receive(10).isEmpty && q.machine.counts(now: q.now) == (0, 0, 0))
    let fresh = q.send()
    #expect(q.receive(10).map(\.sequence) == [fresh])
  }

  // MARK: - Whatever happens

  @Test(arguments: 0..<60) func nothingIsLostNorGivenTwice(seed: Int) {
    var dice = SplitMix(seed: UInt64(seed) &+ 77)
    func roll(_ sides: Int) -> Int { Int(dice.next() % UInt64(sides)) }
    let isFIFO = seed % 2 == 0
    var q = queue(fifo: isFIFO, window: [3, 10, 1000][seed % 3], flights: seed % 5 == 0 ? 4 : 1000)
    var held: [Int64: QueueStateMachine.Delivery] = [:]
    var deleted: Set<Int64> = []
    var lastDone: [String: Int64] = [:]
    var seen = 0

    func check(_ q: SimulatedQueue) {
      for receiver in (seen + 1)...max(seen + 1, q.receiver) {
        guard let got = q.answers[receiver] else { continue }
        for delivery in got where held[delivery.sequence]?.receipt != delivery.receipt {
          #expect(!deleted.contains(delivery.sequence), "seed \(seed): deleted and delivered")
          if let before = held[delivery.sequence] {
            #expect(before.until <= q.now, "seed \(seed): two receivers at once")
          }
          if isFIFO, let group = q.disk[delivery.sequence]?.group {
            let others = held.values.filter { $0.until > q.now && q.disk[$0.sequence]?.group == group }
            #expect(
              others.allSatisfy { got.map(\.receipt).contains($0.receipt) }, "seed \(seed): a group that is out")
            let earlier = q.disk.values.filter { $0.group == group && $0.sequence < delivery.sequence }
            let inBatch = Set(got.map(\.sequence))
            #expect(earlier.allSatisfy { inBatch.contains($0.sequence) }, "seed \(seed): out of order")
            lastDone[group] = max(lastDone[group] ?? 0, delivery.sequence)
          }
        }
        for delivery in got { held[delivery.sequence] = delivery }
      }
      seen = q.receiver
    }

    for _ in 0..<400 {
      switch roll(12) {
      case 0...3: q.send(delay: isFIFO ? 0 : Int64(roll(3) * roll(20_000)), group: isFIFO ? "g\(roll(4))" : nil)
      case 4...6: q.receive(1 + roll(10), visibility: Int64(1 + roll(40_000)), wait: 0)
      case 7, 8:
        if let delivery = held.values.filter({ $0.until > q.now }).min(by: { $0.receipt < $1.receipt }) {
          if q.delete(delivery) == .go {
            deleted.insert(delivery.sequence)
            held[delivery.sequence] = nil
          }
        }
      case 9:
        if let delivery = held.values.filter({ $0.until > q.now }).max(by: { $0.receipt < $1.receipt }) {
          let span = Int64(roll(3) * 1000)
          if case .done = q.change(delivery, span) {
            held[delivery.sequence] = .init(
              sequence: delivery.sequence, receipt: delivery.receipt, receives: delivery.receives,
              firstReceived: delivery.firstReceived, until: q.now + span)
          }
        }
      case 10: q.pass(Int64(roll(30_000)))
      default:
        q.readsAtOnce.toggle()
        while q.readsAtOnce, !q.loads.isEmpty { q.read() }
      }
      check(q)
    }
    q.readsAtOnce = true
    while !q.loads.isEmpty { q.read() }
    for _ in 0..<10_000 where !q.disk.isEmpty {
      let got = q.receive(10, visibility: 50_000)
      check(q)
      for delivery in got {
        #expect(q.delete(delivery) == .go)
        deleted.insert(delivery.sequence)
      }
      if got.isEmpty { q.pass(5000) }
    }
    #expect(deleted.count + q.expired.count == Int(q.sequence), "seed \(seed): lost \(q.disk.keys.sorted())")
    #expect(q.machine.entries.isEmpty && q.machine.inFlight == 0 && q.machine.leaving == 0)
  }
}
