// Who may run now. Every 429 of the invocation path is born here (reference/invoke.md 2.3).
import MartletCore
import Synchronization

package final class Admission: Sendable {
  /// Whose concurrency an invocation uses.
  fileprivate enum Share: Hashable {
    /// What the functions of an account and region have in common.
    case account(Place)
    /// What is reserved for one function, without what is provisioned of it.
    case function(FunctionKey)
    /// The environments that are provisioned of one version, by its incarnation.
    case provisioned(RequestID)
  }

  private let limits: LambdaLimits
  private let running = Mutex<[Share: Int]>([:])

  package init(limits: LambdaLimits) { self.limits = limits }

  /// Takes one unit of concurrency, given back when the permit goes: of what is provisioned for the version if any is
  /// left, else of the function's reservation if it has one, else of the account's.
  /// - Parameter provisioned: environments of the version that are provisioned and initialised.
  package func admit(_ version: Resolved, provisioned: Int) throws(AWSError) -> Permit {
    if provisioned > 0, let permit = take(.provisioned(version.configuration.incarnation), limit: provisioned) {
      return permit
    }
    if let reserved = version.reserved {
      let share = Share.function(FunctionKey(place: version.configuration.place, name: version.configuration.name))
      if let permit = take(share, limit: reserved - version.provisionedTotal) { return permit }
      throw .throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
    }
    let place = version.configuration.place
    if let permit = take(.account(place), limit: limits.concurrentExecutions - version.setAside) { return permit }
    throw .throttled("ConcurrentInvocationLimitExceeded")
  }

  private func take(_ share: Share, limit: Int) -> Permit? {
    let isAdmitted = running.withLock { running in
      let count = running[share, default: 0]
      guard count < limit else { return false }
      running[share] = count + 1
      return true
    }
    return isAdmitted ? Permit(self, share) : nil
  }

  /// How many units of an account's common concurrency are taken.
  package func inUse(_ place: Place) -> Int { running.withLock { $0[.account(place), default: 0] } }

  /// A share that nobody uses is forgotten, so that the table holds no more than what runs.
  fileprivate func release(_ share: Share) {
    running.withLock { running in
      let count = running[share, default: 1] - 1
      if count == 0, case .account = share { running[share] = 0 } else { running[share] = count == 0 ? nil : count }
    }
  }
}

/// One unit of concurrency. It cannot be copied, and gives itself back: concurrency cannot leak or be returned twice.
package struct Permit: ~Copyable, Sendable {
  private let admission: Admission
  private let share: Admission.Share

  fileprivate init(_ admission: Admission, _ share: Admission.Share) {
    self.admission = admission
    self.share = share
  }

  deinit { admission.release(share) }
}
