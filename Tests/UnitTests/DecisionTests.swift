// Why there was a cold start, as far as a pool can tell; and what is remembered of throttles and cold starts.
import MartletCore
import Testing

@testable import MartletLambda

@Suite struct DecisionTests {
  private func history(_ losses: ColdStartReason...) -> EnvironmentHistory {
    var history = EnvironmentHistory()
    _ = history.next(alive: 0, provisioned: 0)
    for loss in losses { history.lost(loss) }
    return history
  }

  @Test func theFirstOfAPoolIsForOthersToExplain() {
    var history = EnvironmentHistory()
    #expect(history.next(alive: 0, provisioned: 0) == nil)
    // Another one at the same moment, before the first is there.
    #expect(history.next(alive: 0, provisioned: 0) == .allBusy)
    #expect(history.next(alive: 2, provisioned: 0) == .allBusy)
  }

  @Test func whatIsLostIsReplacedOnce() {
    var expired = history(.expired)
    #expect(expired.next(alive: 0, provisioned: 0) == .expired)
    #expect(expired.next(alive: 1, provisioned: 0) == .allBusy)
    // One that failed was at work: it is missing whatever others there are. One that was idle would not have helped.
    var failed = history(.timedOut)
    #expect(failed.next(alive: 3, provisioned: 0) == .timedOut)
    #expect(failed.next(alive: 4, provisioned: 0) == .allBusy)
    var idle = history(.expired)
    #expect(idle.next(alive: 1, provisioned: 0) == .allBusy)
    var both = history(.exited, .expired)
    #expect(both.next(alive: 0, provisioned: 0) == .expired)
  }

  @Test func provisionedConcurrencySpillsOver() {
    var history = EnvironmentHistory()
    history.prepared()
    #expect(history.next(alive: 1, provisioned: 1) == .spillover)
    history.lost(.released)
    #expect(history.next(alive: 0, provisioned: 0) == .released)
  }

  @Test func endsOfRuntimesHaveReasons() {
    typealias Failure = EnvironmentStateMachine<Int, Int>.Failure
    #expect(ColdStartReason(Failure.timedOut, isInitialising: false) == .timedOut)
    #expect(ColdStartReason(Failure.timedOut, isInitialising: true) == .initFailed)
    #expect(ColdStartReason(Failure.exited(.code(1)), isInitialising: false) == .exited)
    #expect(ColdStartReason(Failure.exited(.outOfMemory), isInitialising: false) == .outOfMemory)
  }

  @Test func namesAreDistinct() {
    #expect(Set(ColdStartReason.allCases.map(\.words)).count == ColdStartReason.allCases.count)
    #expect(Set(ThrottleReason.allCases.map(\.words)).count == ThrottleReason.allCases.count)
    let labels = ColdStartReason.allCases.map(\.rawValue) + ThrottleReason.allCases.map(\.rawValue)
    #expect(labels.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isLetter } })
  }

  @Test func aStormIsOneEntry() {
    var log = DecisionLog()
    for millisecond in 0..<5000 {
      log.note(.throttle(.accountConcurrency), at: Timestamp(milliseconds: Int64(millisecond)))
      if millisecond == 2500 { log.note(.coldStart(.allBusy), at: Timestamp(milliseconds: 2500)) }
    }
    #expect(log.throttles.map(\.count) == [5000])
    #expect(log.throttles.first?.last == Timestamp(milliseconds: 4999))
    #expect(log.coldStarts.map(\.decision) == [.coldStart(.allBusy)])
    #expect(log.counts == [.throttle(.accountConcurrency): 5000, .coldStart(.allBusy): 1])
  }

  @Test func onlyTheLastAreKept() {
    var log = DecisionLog()
    for second in 0..<100 {
      log.note(.coldStart(.expired), at: Timestamp(milliseconds: Int64(second) * 2000))
      log.note(
        .throttle(second.isMultiple(of: 2) ? .reservedConcurrency : .accountConcurrency), at: Timestamp(milliseconds: 7)
      )
    }
    #expect(
      log.coldStarts.count == DecisionLog.most && log.coldStarts.first?.first == Timestamp(milliseconds: 84 * 2000))
    #expect(log.throttles.map(\.count) == [50, 50] && log.counts[.coldStart(.expired)] == 100)
    // However long something goes on, its beginning is told anew each minute.
    var long = DecisionLog()
    for tenth in 0..<1200 { long.note(.throttle(.reservedZero), at: Timestamp(milliseconds: Int64(tenth) * 100)) }
    #expect(long.throttles.map(\.count) == [600, 600])
  }
}
