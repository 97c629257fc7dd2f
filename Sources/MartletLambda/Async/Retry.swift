// What becomes of an event after an attempt: done, again later, or given up. Decides only; EventQueue.swift acts.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and reference/invoke.md 2.4
import MartletCore

/// How long and how often events of a function, a version or an alias are tried.
package struct RetryPolicy: Sendable, Equatable {
  /// After the first attempt; 0 to 2.
  package var maximumRetryAttempts = 2
  /// From the moment when an event was accepted.
  package var maximumEventAge = Duration.seconds(21_600)

  package init() {}

  package init(_ config: EventInvokeConfig?) {
    maximumRetryAttempts = config?.maximumRetryAttempts ?? maximumRetryAttempts
    if let age = config?.maximumEventAge { maximumEventAge = .seconds(age) }
  }
}

/// Why an event is over, in the words of the record that a destination gets.
package enum EventCondition: String, Sendable {
  case success = "Success"
  case retriesExhausted = "RetriesExhausted"
  case eventAgeExceeded = "EventAgeExceeded"
  case zeroReservedConcurrency = "ZeroReservedConcurrency"
}

/// An event's way so far.
package struct Retry: Sendable, Equatable {
  package let accepted: Timestamp
  /// How often the function has run.
  package private(set) var attempts: Int
  /// How often it could not begin since it ran last.
  package private(set) var refusals = 0

  package init(accepted: Timestamp, attempts: Int = 0, refusals: Int = 0) {
    self.accepted = accepted
    self.attempts = attempts
    self.refusals = refusals
  }

  /// What came of an attempt.
  package enum Outcome: Sendable, Equatable {
    case succeeded
    /// It ran and failed, whether by an error of its own, a time-out or a crash.
    case failed
    /// It could not run now: no room, or a failure of the platform. That costs no attempt.
    case refused
    /// It must not run, ever: the platform has said so for good.
    case forbidden
  }

  package enum Decision: Sendable, Equatable {
    case finish(EventCondition)
    case retry(at: Timestamp)
  }

  /// What to do instead of an attempt; nil = try.
  /// - Parameter reserved: the function's reserved concurrency.
  package func obstacle(now: Timestamp, reserved: Int?, _ policy: RetryPolicy) -> EventCondition? {
    if reserved == 0 { return .zeroReservedConcurrency }
    return now > accepted + policy.maximumEventAge ? .eventAgeExceeded : nil
  }

  package mutating func ended(_ outcome: Outcome, now: Timestamp, _ policy: RetryPolicy) -> Decision {
    let delay: Duration
    switch outcome {
    case .succeeded:
      attempts += 1
      return .finish(.success)
    case .forbidden: return .finish(.retriesExhausted)
    case .failed:
      attempts += 1
      refusals = 0
      guard attempts <= policy.maximumRetryAttempts else { return .finish(.retriesExhausted) }
      delay = attempts == 1 ? Retry.firstDelay : Retry.secondDelay
    case .refused:
      delay = Retry.backOff(refusals)
      refusals += 1
    }
    // AWS looks ahead: an attempt that would come too late is not waited for.
    let next = now + delay
    return next > accepted + policy.maximumEventAge ? .finish(.eventAgeExceeded) : .retry(at: next)
  }

  /// After an error of the function.
  static let firstDelay = Duration.seconds(60)
  static let secondDelay = Duration.seconds(120)

  /// 1 second, doubling up to 5 minutes.
  static func backOff(_ refusals: Int) -> Duration { .seconds(min(300, 1 << min(refusals, 9))) }
}
