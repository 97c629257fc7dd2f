// Why an environment had to be started, and what a pool remembers to be able to say so.
import MartletCore

package enum ColdStartReason: String, Sendable, CaseIterable {
  /// The first of `$LATEST` as it is now: the function is new, or its code or configuration has changed.
  case newCode = "NewCode"
  /// The first of a published version.
  case newVersion = "NewVersion"
  /// The first of a version since the server was started.
  case serverStart = "ServerStart"
  /// The first of a tenant, who shares no environment with others.
  case newTenant = "NewTenant"
  /// Every environment of the version was at work.
  case allBusy = "AllBusy"
  /// The environments had been idle for so long that they were removed.
  case expired = "Expired"
  /// The idle environments were removed because the host's memory ran short.
  case evicted = "Evicted"
  /// The one before ran into the function's time-out.
  case timedOut = "TimedOut"
  /// The runtime of the one before had ended: an exit, a crash.
  case exited = "Exited"
  /// The same for want of memory.
  case outOfMemory = "OutOfMemory"
  /// The initialisation before had failed.
  case initFailed = "InitFailed"
  /// Made ahead for provisioned concurrency.
  case provisioned = "ProvisionedConcurrency"
  /// All environments of provisioned concurrency were at work, or are not ready yet.
  case spillover = "ProvisionedConcurrencySpillover"
  /// Those of provisioned concurrency were given up.
  case released = "ProvisionedConcurrencyReleased"
  /// For a debugger.
  case debugging = "Debugging"

  /// True if one that was at work is lost, so that another takes its place.
  var isFailure: Bool {
    switch self {
    case .timedOut, .exited, .outOfMemory, .initFailed: true
    default: false
    }
  }

  /// For whoever wonders.
  package var words: String {
    switch self {
    case .newCode: "the first environment of the function's present code and configuration"
    case .newVersion: "the first environment of this version"
    case .serverStart: "the first environment of this version since the server was started"
    case .newTenant: "the first environment of this tenant"
    case .allBusy: "every environment of the version was at work"
    case .expired: "the environments before had been idle for too long and were removed"
    case .evicted: "the idle environments before were removed, because the host's memory ran short"
    case .timedOut: "the invocation before ran into the function's time-out"
    case .exited: "the runtime of the environment before had ended"
    case .outOfMemory: "the environment before had run out of its memory"
    case .initFailed: "the initialisation before had failed"
    case .provisioned: "made ahead for provisioned concurrency"
    case .spillover: "every environment of provisioned concurrency was at work or not ready yet"
    case .released: "the environments of provisioned concurrency were given up"
    case .debugging: "it runs under a debugger"
    }
  }
}

extension ColdStartReason {
  /// What the end of a runtime makes of the start after it.
  init<Poll, Work>(_ failure: EnvironmentStateMachine<Poll, Work>.Failure, isInitialising: Bool) {
    switch failure {
    case _ where isInitialising: self = .initFailed
    case .timedOut: self = .timedOut
    case .exited(.outOfMemory): self = .outOfMemory
    case .exited, .notStarted, .extensionFailed: self = .exited
    }
  }
}

/// What a pool remembers of the environments that it had. A value; the pool keeps it under its lock.
struct EnvironmentHistory: Sendable, Equatable {
  private var hasBegun = false
  /// Why the last one left, until another was started.
  private var loss: ColdStartReason?

  /// An environment has left, or will in a moment.
  mutating func lost(_ reason: ColdStartReason) { loss = reason }

  /// Environments are made ahead.
  mutating func prepared() { hasBegun = true }

  /// Why one more is started now; nil: it is the first, and others know what that means.
  /// - Parameters:
  ///   - alive: the environments there are, none of which is free.
  ///   - provisioned: how many of them are of provisioned concurrency.
  mutating func next(alive: Int, provisioned: Int) -> ColdStartReason? {
    defer { (hasBegun, loss) = (true, nil) }
    if provisioned > 0 { return .spillover }
    guard hasBegun else { return nil }
    if let loss, loss.isFailure || alive == 0 { return loss }
    return .allBusy
  }
}
