// How much is made ahead, as a value: what was wanted at one time is remembered, and forgotten by and by.
import MartletCore
import Testing

@testable import MartletLambda

@Suite struct DemandTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func whatComesWithinTenSecondsComesAtOneTime() {
    var demand = Demand(at: 0)
    for _ in 0..<5 { demand.rise(at: 9 * Self.second) }
    #expect(demand.level(at: 9 * Self.second) == 5)
    for _ in 0..<3 { demand.rise(at: 11 * Self.second) }
    #expect(demand.level(at: 11 * Self.second) == 5, "the most")
  }

  @Test func theMostIsRememberedInFullForAPeriodMoreAndThenHalfOfIt() {
    var demand = Demand(at: 0)
    for _ in 0..<48 { demand.rise(at: 0) }
    for (seconds, level) in [(299, 48), (599, 48), (601, 24), (899, 24), (901, 12), (3_000, 0)] as [(UInt64, Int)] {
      #expect(demand.level(at: seconds * Self.second) == level, "after \(seconds) s")
    }
    for _ in 0..<48 { demand.rise(at: 3_600 * Self.second) }
    #expect(demand.level(at: 4_900 * Self.second) == 6, "nobody has asked in between")
  }

  @Test func whatComesEveryFiveMinutesFindsAsMuch() {
    var demand = Demand(at: 0)
    for time in UInt64(0)..<60 {
      for _ in 0..<20 { demand.rise(at: time * 300 * Self.second) }
      #expect(demand.level(at: (time * 300 + 299) * Self.second) == 20, "the \(time)th time")
    }
  }

  /// Against the same told in another way: each window, remembered by the periods since it was.
  @Test(arguments: 0..<32) func noWindowIsForgottenForALesserOne(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var demand = Demand(at: 0)
    var windows: [UInt64: Int] = [:]
    var now: UInt64 = 0
    for _ in 0..<500 {
      now += random.next() % 2 == 0 ? random.next() % Self.second : random.next() % (200 * Self.second)
      if random.next() % 3 > 0 {
        demand.rise(at: now)
        windows[now / (10 * Self.second), default: 0] += 1
      }
      let remembered = windows.map { window, count in
        let periods = Int(now / (300 * Self.second)) - Int(window / 30)
        return count >> max(0, periods - 1)
      }
      #expect(demand.level(at: now) == remembered.max() ?? 0, "seed \(seed)")
    }
  }
}
