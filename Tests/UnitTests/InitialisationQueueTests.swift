// Turns to initialise as values: nobody is forgotten, nobody gets in front, and slots are not exceeded.
import MartletCore
import Testing

@testable import MartletLambda

/// Nothing takes any time.
private struct StillWorld: World {
  func now() -> Timestamp { Timestamp(nanoseconds: 0) }
  func monotonic() -> UInt64 { 0 }
  func random() -> UInt64 { 0 }
}

@Suite struct InitialisationQueueTests {
  private typealias Queue = InitialisationQueue<String, Int>
  private static let patience: UInt64 = 100

  /// All who may go, in order.
  private func goers(_ queue: inout Queue, at now: UInt64 = 0) -> [(entry: Int, turn: UInt64)] {
    var all: [(entry: Int, turn: UInt64)] = []
    while let next = queue.next(at: now) { all.append(next) }
    return all
  }

  @Test func asManyAsThereAreSlots() throws {
    var queue = Queue(slots: 2)
    let turns = [queue.enter(at: 0), queue.enter(at: 0), queue.enter(at: 0)]
    let first = try #require(turns[0])
    #expect(turns[1] != nil && turns[2] == nil)
    queue.wait(1, in: "a")
    #expect(goers(&queue).isEmpty)
    queue.leave(first)
    let another = queue.enter(at: 0)
    #expect(another == nil, "somebody has waited for it")
    #expect(goers(&queue).map(\.entry) == [1])
    #expect(queue.census == .init(running: 2, waiting: 0, delayed: 1))
    queue.leave(first)
    #expect(queue.census.running == 2, "it has been given back before")
  }

  @Test func lanesTakeTurns() {
    var queue = Queue(slots: 1)
    for number in 1...4 { queue.wait(number, in: "many") }
    queue.wait(10, in: "one")
    queue.wait(20, in: "another")
    var order: [Int] = []
    while let (entry, turn) = queue.next(at: 0) {
      order.append(entry)
      queue.leave(turn)
    }
    #expect(order == [1, 10, 20, 2, 3, 4])
    #expect(queue.isEmpty)
  }

  @Test func whoTakesLongKeepsNobodyWaiting() throws {
    var queue = Queue(slots: 1)
    let turn = queue.enter(at: 0)
    let slow = try #require(turn)
    queue.wait(1, in: "a")
    queue.timePassed(99, patience: Self.patience, idle: 0)
    #expect(goers(&queue, at: 99).isEmpty)
    queue.timePassed(100, patience: Self.patience, idle: 0)
    #expect(goers(&queue, at: 100).map(\.entry) == [1])
    queue.leave(slow)
    #expect(queue.census.running == 1)
  }

  @Test func idleProcessorsLetMoreIn() {
    var queue = Queue(slots: 1)
    _ = queue.enter(at: 0)
    for number in 1...3 { queue.wait(number, in: "a") }
    queue.timePassed(1, patience: Self.patience, idle: 2)
    #expect(goers(&queue, at: 1).map(\.entry) == [1, 2])
    #expect(goers(&queue, at: 1).isEmpty, "what was idle is at work now")
    queue.timePassed(2, patience: Self.patience, idle: -3)
    #expect(goers(&queue, at: 2).isEmpty)
  }

  @Test(arguments: 0..<40) func everybodyHasATurn(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var queue = Queue(slots: Int.random(in: 1...4, using: &random))
    var (entered, went, turns, now) = (0, [String: [Int]](), [UInt64](), UInt64(0))
    func note(_ goers: [(entry: Int, turn: UInt64)]) {
      for (entry, turn) in goers {
        went["\(entry % 3)", default: []].append(entry)
        turns.append(turn)
      }
    }
    for _ in 0..<2000 {
      now += UInt64.random(in: 0...20, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        if let turn = queue.enter(at: now) {
          turns.append(turn)
        } else {
          queue.wait(entered, in: "\(entered % 3)")
          entered += 1
        }
      case 2:
        if let index = turns.indices.randomElement(using: &random) { queue.leave(turns.remove(at: index)) }
      default:
        queue.timePassed(now, patience: Self.patience, idle: Int.random(in: -2...1, using: &random))
      }
      note(goers(&queue, at: now))
    }
    while !queue.isEmpty {
      now += Self.patience
      queue.timePassed(now, patience: Self.patience, idle: 0)
      note(goers(&queue, at: now))
    }
    #expect(went.values.reduce(0) { $0 + $1.count } == entered)
    for lane in went.values { #expect(lane == lane.sorted(), "in order") }
  }

  @Test func theKernelSaysWhatRuns() {
    #expect(InitialisationGate.running("0.20 0.18 0.12 3/80 11206\n") == 3)
    #expect(InitialisationGate.running("") == nil)
    #expect(InitialisationGate.running("a b c d e") == nil)
  }

  /// A turn that nobody wants any more passes on, however many there are of them.
  @Test func turnsThatAreDroppedPassOn() async throws {
    let gate = InitialisationGate(slots: 1, world: StillWorld()) { 0 }
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let key = FunctionKey(place: place, name: "f")
    var first = gate.enter()
    #expect(first != nil)
    #expect(gate.enter() == nil)
    for _ in 0..<100_000 { gate.wait(key) { _ in } }
    // Who lets them in is this thread or the one that looks at the processors, if it does so at this moment.
    var kept: InitialisationTurn? = await withCheckedContinuation { continuation in
      gate.wait(key) { continuation.resume(returning: $0) }
      #expect(gate.census.waiting == 100_001)
      first = nil
    }
    #expect(kept != nil && gate.census.running == 1 && gate.census.waiting == 0)
    kept = nil
    #expect(gate.census.running == 0)
  }
}
