// Retries of asynchronous invocation on simulated time: AWS's delays, ages and ends.
import MartletCore
import MartletLambda
import Testing

@Suite struct RetryTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)

  /// Plays attempts until the event is over.
  /// - Returns: the seconds at which it was tried, and how it ended.
  private func play(
    _ outcomes: [Retry.Outcome], _ policy: RetryPolicy = RetryPolicy(), limit: Int = 1000
  ) -> (at: [Int], end: EventCondition?, retry: Retry) {
    var retry = Retry(accepted: start)
    var now = start
    var at: [Int] = []
    for i in 0..<limit {
      at.append(Int((now - start).components.seconds))
      switch retry.ended(outcomes[min(i, outcomes.count - 1)], now: now, policy) {
      case .finish(let condition): return (at, condition, retry)
      case .retry(let next): now = next
      }
    }
    return (at, nil, retry)
  }

  private func policy(retries: Int = 2, age: Int = 21_600) -> RetryPolicy {
    var policy = RetryPolicy()
    policy.maximumRetryAttempts = retries
    policy.maximumEventAge = .seconds(age)
    return policy
  }

  @Test func errorsAreRetriedAfterOneAndTwoMinutes() {
    let played = play([.failed])
    #expect(played.at == [0, 60, 180] && played.end == .retriesExhausted && played.retry.attempts == 3)
    #expect(play([.failed, .succeeded]).at == [0, 60])
    #expect(play([.failed, .succeeded]).end == .success)
    #expect(play([.failed], policy(retries: 1)).at == [0, 60])
    #expect(play([.failed], policy(retries: 0)).at == [0])
  }

  @Test func refusalsBackOffAndCostNoAttempt() {
    let played = play([.refused], policy(age: 60))
    #expect(played.at == [0, 1, 3, 7, 15, 31] && played.end == .eventAgeExceeded && played.retry.attempts == 0)
    let long = play([.refused])
    let delays = zip(long.at, long.at.dropFirst()).map { $1 - $0 }
    #expect(delays.prefix(10) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
    #expect(delays.dropFirst(9).allSatisfy { $0 == 300 })
    #expect((21_300...21_600).contains(long.at.last ?? 0) && long.end == .eventAgeExceeded)
    let mixed = play([.refused, .refused, .failed, .refused, .failed, .failed])
    #expect(mixed.at == [0, 1, 3, 63, 64, 184] && mixed.end == .retriesExhausted && mixed.retry.attempts == 3)
  }

  @Test func theAgeIsLookedAhead() {
    #expect(play([.failed], policy(age: 60)).at == [0, 60], "just in time")
    #expect(play([.failed], policy(age: 60)).end == .eventAgeExceeded)
    var retry = Retry(accepted: start)
    #expect(retry.ended(.failed, now: start + .milliseconds(1), policy(age: 60)) == .finish(.eventAgeExceeded))
    #expect(play([.failed], policy(age: 179)).end == .eventAgeExceeded)
    #expect(play([.failed], policy(age: 179)).at == [0, 60])
  }

  @Test func someEventsAreNotTried() {
    let retry = Retry(accepted: start)
    #expect(retry.obstacle(now: start, reserved: nil, policy()) == nil)
    #expect(retry.obstacle(now: start, reserved: 1, policy()) == nil)
    #expect(retry.obstacle(now: start, reserved: 0, policy()) == .zeroReservedConcurrency)
    #expect(retry.obstacle(now: start + .seconds(60), reserved: nil, policy(age: 60)) == nil)
    #expect(retry.obstacle(now: start + .seconds(61), reserved: nil, policy(age: 60)) == .eventAgeExceeded)
    #expect(play([.forbidden]).end == .retriesExhausted)
  }

  @Test func configurationsBecomePolicies() {
    var config = EventInvokeConfig(lastModified: start)
    #expect(RetryPolicy(config) == RetryPolicy() && RetryPolicy(nil) == RetryPolicy())
    config.maximumRetryAttempts = 0
    config.maximumEventAge = 60
    #expect(RetryPolicy(config) == policy(retries: 0, age: 60))
  }
}
