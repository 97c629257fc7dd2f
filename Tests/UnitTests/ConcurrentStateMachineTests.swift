// Environments that several invocations share, as values: named cases, and random events against what must always hold.
import Testing

@testable import MartletLambda

private struct Job: Identifiable, Equatable {
  let id: Int
  /// Distinguishes deliveries of the same invocation.
  var delivery = 0
}

private typealias Machine = ConcurrentStateMachine<Int, Job>

@Suite struct ConcurrentStateMachineTests {
  private func serving(_ limit: Int, polls: Range<Int>) -> Machine {
    var machine = Machine(limit: limit)
    for poll in polls { _ = machine.next(poll) }
    return machine
  }

  private func isDelivered(_ assignment: Machine.Assignment) -> Int? {
    if case .deliver(let poll) = assignment { poll } else { nil }
  }

  private func isAccepted(_ answer: Machine.Answer) -> Bool { if case .accept = answer { true } else { false } }

  @Test func `what waits for initialisation is delivered at the first polls`() {
    var machine = Machine(limit: 3)
    for id in 1...3 {
      guard case .wait = machine.assign(Job(id: id)) else { return #expect(Bool(false)) }
    }
    guard case .refuse = machine.assign(Job(id: 4)) else { return #expect(Bool(false), "there are three places") }
    guard case .parked = machine.next(10, isSettled: false) else {
      return #expect(Bool(false), "extensions are missing")
    }
    let pairs = machine.settle()
    #expect(pairs.map(\.work.id) == [1] && pairs.map(\.poll) == [10])
    guard case .deliver(let second) = machine.next(11) else { return #expect(Bool(false)) }
    #expect(second.id == 2 && machine.waiting.map(\.id) == [3])
  }

  @Test func `answers may come in any order and only once`() {
    var machine = serving(3, polls: 0..<3)
    for id in 1...3 { #expect(isDelivered(machine.assign(Job(id: id))) != nil) }
    let answers = [2, 2, 3, 1].map { isAccepted(machine.answer($0)) }
    #expect(answers == [true, false, true, true] && machine.isFree)
  }

  @Test func `a time-out keeps the place until the runtime is done`() {
    var machine = serving(2, polls: 0..<2)
    _ = machine.assign(Job(id: 1))
    _ = machine.assign(Job(id: 2))
    let over = machine.expire { $0.id == 1 }
    #expect(over.map(\.work.id) == [1])
    #expect(!machine.isStuck)
    guard case .refuse = machine.assign(Job(id: 3)) else { return #expect(Bool(false), "its place is taken") }
    #expect(!isAccepted(machine.answer(1)), "its caller is answered already")
    let late = [machine.answerLate(1), machine.answerLate(1)]
    #expect(late == [true, false])
    guard case .waitForPoll = machine.assign(Job(id: 3)) else { return #expect(Bool(false)) }
    let rest = machine.expire { _ in true }
    #expect(rest.count == 2)
    #expect(!machine.isStuck, "the one without a poll was never begun")
  }

  @Test func `a late answer is not taken for that of a repeated invocation`() {
    var machine = serving(2, polls: 0..<2)
    _ = machine.assign(Job(id: 1, delivery: 1))
    _ = machine.expire { _ in true }
    #expect(isDelivered(machine.assign(Job(id: 1, delivery: 2))) != nil)
    let (first, wasLate) = (machine.answer(1) { $0.delivery == 1 }, machine.answerLate(1))
    let second = machine.answer(1) { $0.delivery == 2 }
    #expect(!isAccepted(first) && wasLate && isAccepted(second))
  }

  @Test func `it is stuck when every place is held by what takes too long`() {
    var machine = serving(2, polls: 0..<2)
    _ = machine.assign(Job(id: 1))
    _ = machine.assign(Job(id: 2))
    _ = machine.expire { _ in true }
    #expect(machine.isStuck && machine.isFree)
  }

  @Test func `a runtime that ends leaves everybody to be answered`() {
    var machine = serving(4, polls: 0..<2)
    for id in 1...3 { _ = machine.assign(Job(id: id)) }
    let begun = machine.beginResponse(1)
    #expect(begun?.id == 1)
    let (first, second) = (machine.remove(), machine.remove())
    #expect(Set(first.map(\.id)) == [1, 2, 3] && second.isEmpty)
    guard case .refuse = machine.assign(Job(id: 4)) else { return #expect(Bool(false)) }
    guard case .refuse(from: "Exited") = machine.next(9) else { return #expect(Bool(false)) }
  }

  @Test func `initialisation can fail once`() {
    var machine = Machine(limit: 2)
    let errors = [machine.initError(), machine.initError()]
    #expect(errors == [nil, "InitError"])
    guard case .refuse(from: "InitError") = machine.next(1) else { return #expect(Bool(false)) }
    var other = serving(2, polls: 0..<1)
    let error = other.initError()
    #expect(error == "Ready")
  }

  /// Every invocation is answered exactly once, polls are used once, and there are never more than there are places.
  @Test(arguments: 0..<50) func `random events`(seed: Int) {
    var random = SplitMix(seed: UInt64(seed))
    let limit = Int.random(in: 1...6, using: &random)
    var machine = Machine(limit: limit)
    var nextID = 0
    var poll = 0
    var open: Set<Int> = []
    var accepted: Set<Int> = []
    var delivered: Set<Int> = []
    var late: Set<Int> = []
    func deliver(_ job: Job) { #expect(delivered.insert(job.id).inserted) }
    for _ in 0..<400 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4:
        nextID += 1
        switch machine.assign(Job(id: nextID)) {
        case .deliver(let used):
          #expect(open.remove(used) != nil)
          accepted.insert(nextID)
          deliver(Job(id: nextID))
        case .wait, .waitForPoll: accepted.insert(nextID)
        case .refuse: #expect(accepted.count + late.count == limit)
        }
      case 4..<7:
        guard open.count + delivered.intersection(accepted).count + late.count < limit + 2 else { continue }
        poll += 1
        open.insert(poll)
        switch machine.next(poll) {
        case .initialised(let pairs):
          for pair in pairs {
            #expect(open.remove(pair.poll) != nil)
            deliver(pair.work)
          }
        case .deliver(let job):
          open.remove(poll)
          deliver(job)
        case .parked: break
        case .refuse: #expect(Bool(false))
        }
      case 7, 8:
        guard let id = delivered.intersection(accepted).sorted().randomElement(using: &random) else { continue }
        if Bool.random(using: &random) {
          #expect(isAccepted(machine.answer(id)))
        } else {
          let (begun, early) = (machine.beginResponse(id), machine.answer(id))
          let ended = machine.endResponse(id)
          #expect(begun?.id == id && !isAccepted(early) && ended?.id == id)
        }
        accepted.remove(id)
      default:
        let over = machine.expire { $0.id % 3 == 0 }
        for (job, wasDelivered) in over {
          #expect(accepted.remove(job.id) != nil && wasDelivered == delivered.contains(job.id))
          if wasDelivered { late.insert(job.id) }
        }
        if let id = late.sorted().randomElement(using: &random), Bool.random(using: &random) {
          let wasLate = machine.answerLate(id)
          #expect(wasLate)
          late.remove(id)
        }
      }
      #expect(Set(machine.all.map(\.id)) == accepted && accepted.count + late.count <= limit)
      #expect(machine.isStuck == (late.count >= limit))
    }
    let left = machine.remove()
    #expect(Set(left.map(\.id)) == accepted)
  }
}
