// Who may run now. Every 429 of the invocation path is born here (reference/invoke.md 2.3).
import MartletCore
import Synchronization

package final class Admission: Sendable {
  private let limits: LambdaLimits
  private let running = Mutex<[Place: Int]>([:])

  package init(limits: LambdaLimits) { self.limits = limits }

  /// Takes one unit of the account's concurrency, given back when the permit goes.
  package func admit(_ place: Place) throws(AWSError) -> Permit {
    let admitted = running.withLock { running in
      let count = running[place, default: 0]
      guard count < limits.concurrentExecutions else { return false }
      running[place] = count + 1
      return true
    }
    guard admitted else { throw .throttled("ConcurrentInvocationLimitExceeded") }
    return Permit(self, place)
  }

  /// How many units are taken.
  package func inUse(_ place: Place) -> Int { running.withLock { $0[place, default: 0] } }

  fileprivate func release(_ place: Place) { running.withLock { $0[place, default: 1] -= 1 } }
}

/// One unit of concurrency. It cannot be copied, and gives itself back: concurrency cannot leak or be returned twice.
package struct Permit: ~Copyable, Sendable {
  private let admission: Admission
  private let place: Place

  fileprivate init(_ admission: Admission, _ place: Place) {
    self.admission = admission
    self.place = place
  }

  deinit { admission.release(place) }
}
