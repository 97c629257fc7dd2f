// Provisioned concurrency as a value: it starts what is missing, replaces the dead, and follows its alias.
import Testing

@testable import MartletLambda

@Suite struct ProvisionedLevelTests {
  private typealias Level = ProvisionedLevel<Int>

  /// Starts what the level asks for, numbered from `first`.
  private func start(_ actions: Level.Actions, _ level: inout Level, from first: Int) -> Range<Int> {
    let numbers = first..<(first + actions.start)
    for number in numbers { level.started(number) }
    return numbers
  }

  @Test func becomesReady() {
    var level = Level(requested: 3, atOnce: 2)
    let first = start(level.request(3), &level, from: 0)
    #expect(first == 0..<2 && level.status == .inProgress)
    #expect(level.initialised(0) == .init(start: 1, release: []))
    level.started(2)
    #expect(level.initialised(1) == .init())
    #expect(level.available == 2 && level.status == .inProgress)
    #expect(level.initialised(2) == .init())
    #expect(level.available == 3 && level.status == .ready)
  }

  @Test func replacesTheDead() {
    var level = Level(requested: 1, atOnce: 8)
    _ = start(level.request(1), &level, from: 0)
    _ = level.initialised(0)
    #expect(level.gone(0) == .init(start: 1, release: []))
    #expect(level.status == .inProgress && level.available == 0)
  }

  @Test func aFailedInitialisationEndsTheAttempts() {
    var level = Level(requested: 2, atOnce: 8)
    _ = start(level.request(2), &level, from: 0)
    #expect(level.gone(0) == .init())
    #expect(level.status == .failed && level.statusReason == "FUNCTION_ERROR_INIT_FAILURE")
    #expect(level.request(2).start == 1, "asking again tries again")
  }

  @Test func whatHasBeenReadyIsTriedAgain() {
    var level = Level(requested: 2, atOnce: 8)
    _ = start(level.request(2), &level, from: 0)
    #expect(level.retry() == .init(), "nothing has failed")
    _ = level.gone(0)
    #expect(level.retry() == .init(), "it never was at its level")
    _ = start(level.request(2), &level, from: 2)
    for number in 1...2 { _ = level.initialised(number) }
    #expect(level.status == .ready)
    let replacement = start(level.gone(1), &level, from: 3)
    #expect(replacement == 3..<4)
    #expect(level.gone(3) == .init())
    #expect(level.status == .failed)
    #expect(level.available == 1 && level.failures == 1)
    _ = start(level.retry(), &level, from: 4)
    #expect(level.retry() == .init(), "one at a time")
    _ = level.gone(4)
    #expect(level.failures == 2)
    _ = start(level.retry(), &level, from: 5)
    #expect(level.initialised(5) == .init())
    #expect(level.status == .ready && level.failures == 0)
    _ = level.changeVersion()
    level.started(6)
    _ = level.gone(6)
    #expect(level.retry() == .init(), "another version has to prove itself")
  }

  @Test func followsItsAlias() {
    var level = Level(requested: 1, atOnce: 8)
    _ = start(level.request(1), &level, from: 0)
    _ = level.initialised(0)
    let moved = level.changeVersion()
    #expect(moved == .init(start: 1, release: []))
    #expect(level.status == .inProgress && level.available == 1, "the former version's environment still counts")
    level.started(1)
    #expect(level.initialised(1) == .init(start: 0, release: [0]))
    #expect(level.status == .ready)
  }

  @Test func neverTooManyWhateverHappens() {
    var random = SplitMix(seed: 7)
    for _ in 0..<300 {
      var level = Level(requested: 1, atOnce: 3)
      var alive: Set<Int> = []
      var next = 0
      func perform(_ actions: Level.Actions) {
        alive.subtract(actions.release)
        for _ in 0..<actions.start {
          alive.insert(next)
          level.started(next)
          next += 1
        }
      }
      perform(level.request(Int.random(in: 1...5, using: &random)))
      for _ in 0..<60 {
        switch Int.random(in: 0..<7, using: &random) {
        case 3: perform(level.retry())
        case 0: perform(level.request(Int.random(in: 1...5, using: &random)))
        case 1: perform(level.changeVersion())
        case 2:
          if let dead = alive.randomElement(using: &random) {
            alive.remove(dead)
            perform(level.gone(dead))
          }
        default:
          if let ready = level.starting.randomElement(using: &random) { perform(level.initialised(ready)) }
        }
        #expect(alive == level.starting.union(level.ready).union(level.former), "nothing leaks")
        #expect(level.starting.count <= 3 && level.ready.count + level.starting.count <= max(5, level.requested))
        if level.status == .ready { #expect(level.ready.count == level.requested && level.former.isEmpty) }
      }
    }
  }
}
