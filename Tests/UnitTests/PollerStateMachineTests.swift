// The machine of a mapping's poller: batches, windows, sizes, concurrency up and down, throttles, order, the end.
import MartletLambda
import Testing

@Suite struct PollerStateMachineTests {
  typealias Machine = PollerStateMachine<Int>

  /// A machine with what it asked for.
  struct Rig {
    var machine: Machine
    var now: Int64 = 0
    var receives: [(receiver: Int, count: Int)] = []
    var batches: [Machine.Batch] = []
    var givenBack: [Int] = []
    var isCancelled = false
    var hasStopped = false
    private var next = 0

    init(_ change: (inout Machine.Settings) -> Void = { _ in }) {
      var settings = Machine.Settings()
      change(&settings)
      machine = Machine(settings, now: 0)
      act { $0.pass(now: $1, &$2) }
    }

    mutating func act(_ body: (inout Machine, Int64, inout [Machine.Action]) -> Void) {
      var actions: [Machine.Action] = []
      body(&machine, now, &actions)
      for action in actions {
        switch action {
        case .receive(let receiver, let count): receives.append((receiver, count))
        case .cancelReceives: isCancelled = true
        case .invoke(let batch): batches.append(batch)
        case .giveBack(let items): givenBack += items.map(\.record)
        case .stopped:
          #expect(!hasStopped, "it ends once")
          hasStopped = true
        }
      }
    }

    /// Answers the first receive that waits.
    mutating func arrive(_ count: Int? = nil, size: Int = 100, groups: [String] = []) {
      let receive = receives.removeFirst()
      let count = count ?? receive.count
      let items = (0..<count).map { i in
        Machine.Item(
          record: next + i, size: size, group: groups.isEmpty ? nil : groups[i % groups.count], received: now)
      }
      next += count
      act { $0.received(receive.receiver, found: count, items, now: $1, &$2) }
    }

    mutating func end(_ outcome: Machine.Outcome = .succeeded(failedGroups: [])) {
      let batch = batches.removeFirst()
      act { $0.ended(batch.number, outcome, now: $1, &$2) }
    }

    mutating func pass(_ milliseconds: Int64) {
      let end = now + milliseconds
      while let wake = machine.nextWake(now: now), wake <= end {
        now = wake
        act { $0.pass(now: $1, &$2) }
      }
      now = end
      act { $0.pass(now: $1, &$2) }
    }

    var sizes: [Int] { batches.map(\.items.count) }
  }

  @Test func oneReceiveWaitsWhereNothingHappens() {
    let rig = Rig()
    #expect(rig.receives.map(\.count) == [10] && rig.machine.nextWake(now: 0) == nil)
  }

  @Test func whatIsReceivedRunsAtOnceWithoutAWindow() {
    var rig = Rig { $0.batchSize = 3 }
    #expect(rig.receives.map(\.count) == [3])
    rig.arrive(2)
    #expect(rig.sizes == [2] && rig.receives.count == 1, "the next receive waits already")
    rig.end()
    #expect(rig.machine.occupied == 0)
  }

  @Test func receivesGoOnWhereThereIsPlentyAndStopWhereThereIsNoRoom() {
    var rig = Rig()
    var most = 0
    while !rig.receives.isEmpty {
      rig.arrive()
      most = max(most, rig.receives.count)
      #expect(rig.machine.occupied + rig.receives.count <= 5)
    }
    #expect(rig.sizes == [10, 10, 10, 10, 10] && most > 1)
    rig.end()
    #expect(rig.receives.count == 1)
  }

  @Test func windowsBeginWithTheFirstMessage() {
    var rig = Rig {
      $0.batchSize = 25
      $0.window = 20_000
    }
    rig.pass(60_000)
    rig.arrive(7)
    rig.pass(19_999)
    rig.arrive(10)
    #expect(rig.batches.isEmpty && rig.receives.allSatisfy { $0.count <= 8 }, "no more than the batch has room for")
    rig.pass(1)
    #expect(rig.sizes == [17])
    rig.arrive()
    #expect(rig.batches.count == 1 && rig.machine.nextWake(now: rig.now) == rig.now + 20_000)
    while rig.machine.held < 20 { rig.arrive() }
    while rig.batches.count == 1 { rig.arrive() }
    #expect(rig.sizes == [17, 25], "full")
  }

  @Test func eventsStayBelowTheirLimit() {
    var rig = Rig {
      $0.payload = 1000
      $0.frame = 14
      $0.separator = 1
    }
    rig.arrive(10, size: 300)
    #expect(rig.sizes == [3, 3, 3, 1])
    for batch in rig.batches { #expect(batch.items.reduce(14) { $0 + $1.size + 1 } <= 1000) }
  }

  @Test func concurrencyGrowsByTheMinute() {
    var rig = Rig { $0.batchSize = 1 }
    func fill() { while !rig.receives.isEmpty { rig.arrive() } }
    fill()
    #expect(rig.machine.occupied == 5)
    for minute in 1...3 {
      for _ in 0..<600 {
        rig.pass(100)
        fill()
      }
      #expect(abs(rig.machine.occupied - (5 + 300 * minute)) <= 3, "\(rig.machine.occupied)")
    }
    rig.pass(300_000)
    fill()
    rig.pass(300_000)
    fill()
    #expect(rig.machine.concurrency <= 1250)
    while !rig.batches.isEmpty { rig.end() }
    rig.pass(600_000)
    #expect(rig.machine.concurrency == 5, "and comes back when there is nothing to do")
    #expect(rig.machine.nextWake(now: rig.now) == nil, "and costs nothing then")
  }

  @Test func maximumConcurrencyIsKept() {
    var rig = Rig {
      $0.batchSize = 1
      $0.ceiling = 2
    }
    for _ in 0..<100 {
      while !rig.receives.isEmpty { rig.arrive() }
      rig.pass(1000)
      #expect(rig.machine.occupied <= 2)
      if rig.machine.occupied == 2 { rig.end() }
    }
  }

  @Test func errorsBringConcurrencyDownToTwo() {
    var rig = Rig { $0.batchSize = 1 }
    for _ in 0..<20 {
      while !rig.receives.isEmpty { rig.arrive() }
      rig.end(.failed)
    }
    #expect(rig.machine.concurrency == 2)
  }

  @Test func throttledBatchesAreTriedAgainWhileTheyAreHidden() {
    var rig = Rig()
    rig.arrive()
    var tries = 0
    while !rig.batches.isEmpty {
      tries += 1
      rig.end(.refused(visibility: 30_000))
      #expect(rig.batches.isEmpty)
      while rig.batches.isEmpty, let wake = rig.machine.nextWake(now: rig.now) { rig.pass(wake - rig.now) }
    }
    #expect((5...20).contains(tries) && rig.now < 30_000)
    #expect(rig.machine.occupied == 0 && rig.givenBack.isEmpty, "then they come back by themselves")
  }

  @Test func receivesThatFailAreMadeAgainLater() {
    var rig = Rig()
    var pauses: [Int64] = []
    for _ in 0..<9 {
      let receive = rig.receives.removeFirst()
      rig.act { $0.receiveFailed(receive.receiver, isMissing: false, now: $1, &$2) }
      #expect(rig.receives.isEmpty)
      let before = rig.now
      while rig.receives.isEmpty, let wake = rig.machine.nextWake(now: rig.now) { rig.pass(wake - rig.now) }
      pauses.append(rig.now - before)
    }
    #expect(pauses == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
    let receive = rig.receives.removeFirst()
    rig.act { $0.receiveFailed(receive.receiver, isMissing: true, now: $1, &$2) }
    rig.pass(1_000_000)
    #expect(rig.receives.isEmpty && rig.machine.nextWake(now: rig.now) == nil)
    rig.act { $0.resume(now: $1, &$2) }
    #expect(rig.receives.count == 1)
  }

  // MARK: - Order

  @Test func whatWasReceivedTogetherKeepsItsOrder() {
    var rig = Rig {
      $0.isFIFO = true
      $0.payload = 350
    }
    rig.arrive(9, groups: ["a"])
    #expect(rig.batches.map { $0.items.map(\.record) } == [[0, 1, 2]])
    rig.end()
    #expect(rig.batches.map { $0.items.map(\.record) } == [[3, 4, 5]])
    rig.end(.succeeded(failedGroups: ["a"]))
    #expect(rig.batches.isEmpty && rig.givenBack == [6, 7, 8], "they must not overtake the one that failed")
  }

  @Test func otherGroupsGoOn() {
    var rig = Rig {
      $0.isFIFO = true
      $0.payload = 250
    }
    rig.arrive(6, groups: ["a", "b"])
    #expect(rig.batches.map { $0.items.map(\.record) } == [[0, 1]])
    rig.end(.succeeded(failedGroups: ["a"]))
    #expect(rig.givenBack == [2] && rig.batches.map { $0.items.map(\.record) } == [[3]])
    rig.end()
    #expect(rig.givenBack == [2, 4] && rig.batches.map { $0.items.map(\.record) } == [[5]])
  }

  // MARK: - The end

  @Test func stoppingGivesBackAndWaits() {
    var rig = Rig {
      $0.batchSize = 100
      $0.window = 10_000
    }
    rig.arrive(4)
    rig.pass(10_000)
    rig.arrive(3)
    rig.act { $0.stop(now: $1, &$2) }
    #expect(rig.isCancelled && rig.givenBack == [4, 5, 6] && !rig.hasStopped)
    let late = rig.receives.count
    #expect(late > 0)
    rig.arrive(2)
    #expect(rig.givenBack == [4, 5, 6, 7, 8], "what comes too late goes back")
    while !rig.receives.isEmpty { rig.arrive(0) }
    #expect(!rig.hasStopped, "a batch is under way")
    rig.end(.refused(visibility: 60_000))
    #expect(rig.hasStopped && rig.batches.isEmpty && rig.receives.isEmpty)
    #expect(rig.machine.nextWake(now: rig.now) == nil)
  }

  // MARK: - Properties

  /// Whatever happens, every message that comes in goes out once: in a batch that ended, or back.
  @Test(arguments: 0..<20) func nothingIsLost(_ seed: UInt64) {
    var dice = SplitMix(seed: seed)
    func roll(_ n: Int) -> Int { Int(dice.next() % UInt64(n)) }
    let isFIFO = seed % 3 == 0
    let most = 1 + roll(8)
    var rig = Rig {
      $0.isFIFO = isFIFO
      $0.batchSize = isFIFO ? 1 + roll(10) : 1 + roll(40)
      $0.window = isFIFO || $0.batchSize <= 10 && roll(2) == 0 ? 0 : 1000
      $0.payload = 1500
      $0.ceiling = most
    }
    var (came, ended) = (0, [Int]())
    for _ in 0..<2000 {
      switch roll(5) {
      case 0, 1:
        guard let receive = rig.receives.first else { continue }
        let count = roll(receive.count + 1)
        came += count
        rig.arrive(count, size: 1 + roll(400), groups: isFIFO ? ["a", "b", "c"] : [])
      case 2, 3:
        guard let batch = rig.batches.first else { continue }
        let outcomes: [Machine.Outcome] = [.succeeded(failedGroups: ["a"]), .failed, .succeeded(failedGroups: [])]
        let isThrottled = roll(5) == 0 && rig.now < (batch.items.first?.received ?? 0) + 20_000
        rig.end(isThrottled ? .refused(visibility: 30_000) : outcomes[roll(3)])
        if !isThrottled { ended += batch.items.map(\.record) }
      default: rig.pass(Int64(roll(3000)))
      }
      #expect(rig.batches.count <= most)
    }
    rig.act { $0.stop(now: $1, &$2) }
    while !rig.receives.isEmpty { rig.arrive(0) }
    while let batch = rig.batches.first {
      ended += batch.items.map(\.record)
      rig.end()
    }
    #expect(rig.hasStopped && (ended + rig.givenBack).sorted() == Array(0..<came))
  }
}
