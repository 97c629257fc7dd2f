// When the threads of event loops wait awake: where answers come soon, and nobody else wants the processor.
import MartletCore
import NIOCore
import Testing

@testable import MartletServer

@Suite struct SpinningTests {
  private static let soon: Int64 = 40_000

  private func habit(after gaps: [Int64], asleep: Bool = false) -> SpinHabit {
    var habit = SpinHabit(limit: .microseconds(100))
    for gap in gaps { habit.came(after: gap, asleep: asleep) }
    return habit
  }

  @Test func whatIsIdleSleeps() {
    #expect(!habit(after: []).pays(afterGap: SpinningTests.soon, at: 0))
    let once = habit(after: [SpinningTests.soon] + [Int64](repeating: 1_000_000_000, count: 20))
    #expect(!once.pays(afterGap: SpinningTests.soon, at: 0))
  }

  @Test func answersThatComeSoonAreWaitedFor() {
    #expect(habit(after: [Int64](repeating: SpinningTests.soon, count: 20)).pays(afterGap: SpinningTests.soon, at: 0))
    // Two of the three messages of an invocation come soon, and then nothing for long.
    let seldom = [[Int64]](repeating: [SpinningTests.soon, SpinningTests.soon, 100_000_000], count: 10).flatMap { $0 }
    #expect(habit(after: seldom).pays(afterGap: SpinningTests.soon, at: 0))
  }

  @Test func whoSleptWasWokenLate() {
    let late = [Int64](repeating: 180_000, count: 20)
    #expect(habit(after: late, asleep: true).pays(afterGap: SpinningTests.soon, at: 0))
    #expect(!habit(after: late, asleep: false).pays(afterGap: SpinningTests.soon, at: 0))
  }

  @Test func whoIsBusyDoesNotLook() {
    #expect(!habit(after: [Int64](repeating: 100, count: 20)).pays(afterGap: 100, at: 0))
  }

  @Test func othersHaveTheProcessorFirst() {
    var habit = habit(after: [Int64](repeating: SpinningTests.soon, count: 20))
    habit.wasInTheWay(at: 1000)
    #expect(!habit.pays(afterGap: SpinningTests.soon, at: 1000 + SpinHabit.quiet - 1))
    #expect(habit.pays(afterGap: SpinningTests.soon, at: 1000 + SpinHabit.quiet))
  }

  @Test func theKernelSaysWhatALoopWaitsOn() async throws {
    let spinning = Spinning(limit: .microseconds(100))
    let group = await spinning.group(threads: 3)
    #expect(spinning.attended == 3)
    try await group.shutdownGracefully()
  }
}
