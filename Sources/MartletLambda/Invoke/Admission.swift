// Who may run now. Every 429 of the invocation path is born here (reference/invoke.md 2.3).
import MartletCore
import NIOCore
import Synchronization

package final class Admission: Sendable {
  /// Whose concurrency an invocation uses.
  fileprivate enum Share: Hashable {
    /// What the functions of an account and region have in common.
    case account(Place)
    /// What is reserved for one function, without what is provisioned of it.
    case function(FunctionKey)
    /// The environments of one version on its capacity provider, by its incarnation.
    case managed(RequestID)
    /// The environments that are provisioned of one version, by its incarnation.
    case provisioned(RequestID)
  }

  fileprivate struct Usage {
    var taken = 0
    /// Of the taken ones, those whose caller has its answer already: they will be given back in a moment.
    var ending = 0
  }

  private struct State {
    var usage: [Share: Usage] = [:]
    /// Invocations that wait for what is ending, no more of them than there is.
    var waiters: [Waiter] = []
    var waiterNumber: UInt64 = 0
  }

  private struct Waiter {
    let number: UInt64
    let share: Share
    let limit: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  /// How long an invocation waits for one that is over but for its runtime's return. Its only other way out is a 429.
  static let patience = TimeAmount.milliseconds(250)

  private let limits: LambdaLimits
  private let state = Mutex(State())

  package init(limits: LambdaLimits) { self.limits = limits }

  /// Takes one unit of concurrency, given back when the permit goes: of what is provisioned for the version if any is
  /// left, else of the function's reservation if it has one, else of the account's.
  /// - Parameter provisioned: environments of the version that are provisioned and initialised.
  package func admit(_ version: Resolved, provisioned: Int) throws(ThrottleReason) -> Permit {
    if let limit = version.managedLimit {
      if let permit = take(.managed(version.configuration.incarnation), limit: limit) { return permit }
      throw .capacityProvider
    }
    if provisioned > 0, let permit = take(.provisioned(version.configuration.incarnation), limit: provisioned) {
      return permit
    }
    if let reserved = version.reserved {
      if let permit = take(version.ownShare, limit: reserved - version.provisionedTotal) { return permit }
      throw version.isDebugged ? .debugging : reserved == 0 ? .reservedZero : .reservedConcurrency
    }
    let place = version.configuration.place
    if let permit = take(.account(place), limit: limits.concurrentExecutions - version.setAside) { return permit }
    throw .accountConcurrency
  }

  /// As `admit`; but where there is no room, and a caller has its answer while its runtime is not back yet, it waits
  /// for that. So whoever calls one function again and again is not refused for having called it before.
  package func admit(
    _ version: Resolved, provisioned: Int, within patience: TimeAmount, on eventLoop: any EventLoop
  ) async throws(ThrottleReason) -> Permit {
    do throws(ThrottleReason) { return try admit(version, provisioned: provisioned) } catch {
      guard version.managedLimit == nil else { throw error }
      let share = version.reserved == nil ? Share.account(version.configuration.place) : version.ownShare
      let limit =
        version.reserved.map { $0 - version.provisionedTotal } ?? limits.concurrentExecutions - version.setAside
      guard await hasTurn(share, limit: limit, within: patience, on: eventLoop) else { throw error }
      return Permit(self, share)
    }
  }

  private func take(_ share: Share, limit: Int) -> Permit? {
    let isAdmitted = state.withLock { state in
      guard state.usage[share, default: Usage()].taken < limit else { return false }
      state.usage[share, default: Usage()].taken += 1
      return true
    }
    return isAdmitted ? Permit(self, share) : nil
  }

  /// Waits until one unit passes from an invocation that is over to this one.
  private func hasTurn(
    _ share: Share, limit: Int, within patience: TimeAmount, on eventLoop: any EventLoop
  ) async -> Bool {
    await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> (isAdmitted: Bool, number: UInt64?) in
        let usage = state.usage[share, default: Usage()]
        if usage.taken < limit {
          state.usage[share, default: Usage()].taken += 1
          return (true, nil)
        }
        let ending = usage.ending - (usage.taken - limit)
        guard ending > state.waiters.count(where: { $0.share == share }) else { return (false, nil) }
        state.waiterNumber += 1
        state.waiters.append(
          Waiter(number: state.waiterNumber, share: share, limit: limit, continuation: continuation))
        return (false, state.waiterNumber)
      }
      guard let number = outcome.number else { return continuation.resume(returning: outcome.isAdmitted) }
      eventLoop.scheduleTask(in: patience) { self.giveUp(number) }
    }
  }

  private func giveUp(_ number: UInt64) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).continuation }
    }
    waiter?.resume(returning: false)
  }

  /// How many units of an account's common concurrency are taken.
  package func inUse(_ place: Place) -> Int { state.withLock { $0.usage[.account(place)]?.taken ?? 0 } }

  /// How many invocations wait for what is ending.
  package var waiting: Int { state.withLock { $0.waiters.count } }

  fileprivate func end(_ share: Share) { state.withLock { $0.usage[share, default: Usage()].ending += 1 } }

  /// A share that nobody uses is forgotten, so that the table holds no more than what runs.
  fileprivate func release(_ share: Share, wasEnding: Bool) {
    let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      var usage = state.usage[share, default: Usage(taken: 1)]
      if wasEnding { usage.ending -= 1 }
      // The unit passes to who waits for it, unless there are fewer of them by now.
      let next = state.waiters.isEmpty ? nil : state.waiters.firstIndex { $0.share == share && usage.taken <= $0.limit }
      if next == nil { usage.taken -= 1 }
      if case .account = share {
        state.usage[share] = usage
      } else {
        state.usage[share] = usage.taken == 0 ? nil : usage
      }
      return next.map { state.waiters.remove(at: $0).continuation }
    }
    waiter?.resume(returning: true)
  }
}

extension Resolved {
  fileprivate var ownShare: Admission.Share {
    .function(FunctionKey(place: configuration.place, name: configuration.name))
  }
}

/// One unit of concurrency. It cannot be copied, and gives itself back: concurrency cannot leak or be returned twice.
package struct Permit: ~Copyable, Sendable {
  private let admission: Admission
  private let share: Admission.Share
  private var isEnding = false

  fileprivate init(_ admission: Admission, _ share: Admission.Share) {
    self.admission = admission
    self.share = share
  }

  /// The caller has its answer; the unit will be given back as soon as the runtime is back.
  package mutating func answerIsGiven() {
    guard !isEnding else { return }
    isEnding = true
    admission.end(share)
  }

  deinit { admission.release(share, wasEnding: isEnding) }
}
