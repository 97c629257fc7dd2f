// Who may run now (reference/invoke.md 2.3): so many at once, and so many a second.
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
    /// How often it was used of late; untouched where that has no limit.
    var requests = TokenBucket()
  }

  /// What came of a claim of one unit.
  fileprivate enum Claim { case taken, full, tooOften }

  fileprivate struct State {
    var usage: [Share: Usage] = [:]
    /// When there are so many of them, those that nobody uses are forgotten.
    var shareLimit = State.fewShares
    static let fewShares = 1024
    /// Invocations that wait for what is ending, no more of them than there is.
    var waiters: [Waiter] = []
    var waiterNumber: UInt64 = 0
  }

  fileprivate struct Waiter {
    let number: UInt64
    let share: Share
    let limit: Int
    let continuation: CheckedContinuation<Claim, Never>
  }

  /// How long an invocation waits for one that is over but for its runtime's return. Its only other way out is a 429.
  static let patience = TimeAmount.milliseconds(250)

  private let limits: LambdaLimits
  private let world: any World
  private let state = Mutex(State())

  package init(limits: LambdaLimits, world: any World) {
    self.limits = limits
    self.world = world
  }

  /// Takes one unit of concurrency, given back when the permit goes: of what is provisioned for the version if any is
  /// left, else of the function's reservation if it has one, else of the account's.
  /// Whose rate of requests is used up gets none of that share either.
  /// - Parameters:
  ///   - provisioned: environments of the version that are provisioned and initialised.
  ///   - isPolled: by a poller, whose requests are not counted.
  package func admit(
    _ version: Resolved, provisioned: Int, isPolled: Bool = false
  ) throws(ThrottleReason) -> Permit {
    if let limit = version.managedLimit {
      let share = Share.managed(version.configuration.incarnation)
      if case .taken = claim(share, limit: limit, isCounted: false) { return Permit(self, share) }
      throw .capacityProvider
    }
    if provisioned > 0 {
      let share = Share.provisioned(version.configuration.incarnation)
      if case .taken = claim(share, limit: provisioned, isCounted: !isPolled) { return Permit(self, share) }
    }
    let (share, limit) = onDemand(version)
    if let reason = reason(claim(share, limit: limit, isCounted: !isPolled), version) { throw reason }
    return Permit(self, share)
  }

  /// What a claim on demand was refused for; nil if it was not.
  private func reason(_ claim: Claim, _ version: Resolved) -> ThrottleReason? {
    switch claim {
    case .taken: nil
    case .full where version.isDebugged: .debugging
    case .full where version.reserved == 0: .reservedZero
    case .full: version.reserved == nil ? .accountConcurrency : .reservedConcurrency
    case .tooOften: version.reserved == nil ? .accountRequestRate : .reservedRequestRate
    }
  }

  /// What a version uses that has nothing provisioned left.
  private func onDemand(_ version: Resolved) -> (share: Share, limit: Int) {
    if let reserved = version.reserved { return (version.ownShare, reserved - version.provisionedTotal) }
    return (.account(version.configuration.place), limits.concurrentExecutions - version.setAside)
  }

  /// As `admit`; but where there is no room, and a caller has its answer while its runtime is not back yet, it waits
  /// for that. So whoever calls one function again and again is not refused for having called it before.
  package func admit(
    _ version: Resolved, provisioned: Int, isPolled: Bool = false, within patience: TimeAmount,
    on eventLoop: any EventLoop
  ) async throws(ThrottleReason) -> Permit {
    do throws(ThrottleReason) { return try admit(version, provisioned: provisioned, isPolled: isPolled) } catch {
      guard error.isOfConcurrency, version.managedLimit == nil else { throw error }
      let (share, limit) = onDemand(version)
      let claim = await turn(share, limit: limit, isCounted: !isPolled, within: patience, on: eventLoop)
      if let reason = reason(claim, version) { throw reason }
      return Permit(self, share)
    }
  }

  private func claim(_ share: Share, limit: Int, isCounted: Bool) -> Claim {
    let rate = isCounted ? self.rate(limit) : nil
    return state.withLock { state in
      let taken = state.usage[share, default: Usage()].taken
      guard taken < limit else { return .full }
      if let rate, !state.counts(share, rate) { return .tooOften }
      state.usage[share, default: Usage()].taken = taken + 1
      return .taken
    }
  }

  /// How often so many units may be used; nil: as often as they can be. Nobody reads a clock then.
  private func rate(_ limit: Int) -> (limit: RateLimit, now: UInt64)? {
    limits.requestRate.map { (RateLimit($0 * max(0, limit), per: .seconds(1)), world.monotonic()) }
  }

  /// Waits until one unit passes from an invocation that is over to this one.
  private func turn(
    _ share: Share, limit: Int, isCounted: Bool, within patience: TimeAmount, on eventLoop: any EventLoop
  ) async -> Claim {
    let rate = isCounted ? self.rate(limit) : nil
    return await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> (claim: Claim, number: UInt64?) in
        let usage = state.usage[share, default: Usage()]
        let ending = usage.ending - (usage.taken - limit)
        guard usage.taken < limit || ending > state.waiters.count(where: { $0.share == share }) else {
          return (.full, nil)
        }
        if let rate, !state.counts(share, rate) { return (.tooOften, nil) }
        if usage.taken < limit {
          state.usage[share, default: Usage()].taken += 1
          return (.taken, nil)
        }
        state.waiterNumber += 1
        state.waiters.append(
          Waiter(number: state.waiterNumber, share: share, limit: limit, continuation: continuation))
        return (.full, state.waiterNumber)
      }
      guard let number = outcome.number else { return continuation.resume(returning: outcome.claim) }
      eventLoop.scheduleTask(in: patience) { self.giveUp(number) }
    }
  }

  private func giveUp(_ number: UInt64) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).continuation }
    }
    waiter?.resume(returning: .full)
  }

  /// How many units of an account's common concurrency are taken.
  package func inUse(_ place: Place) -> Int { state.withLock { $0.usage[.account(place)]?.taken ?? 0 } }

  /// Of how many shares it remembers something.
  package var shareCount: Int { state.withLock { $0.usage.count } }

  /// How many invocations wait for what is ending.
  package var waiting: Int { state.withLock { $0.waiters.count } }

  fileprivate func end(_ share: Share) { state.withLock { $0.usage[share, default: Usage()].ending += 1 } }

  /// A share that nobody uses is forgotten, so that the table holds no more than what runs; where requests are counted,
  /// that waits until there are many.
  fileprivate func release(_ share: Share, wasEnding: Bool) {
    let waiter = state.withLock { state -> CheckedContinuation<Claim, Never>? in
      var usage = state.usage[share, default: Usage(taken: 1)]
      if wasEnding { usage.ending -= 1 }
      // The unit passes to who waits for it, unless there are fewer of them by now.
      let next = state.waiters.isEmpty ? nil : state.waiters.firstIndex { $0.share == share && usage.taken <= $0.limit }
      if next == nil { usage.taken -= 1 }
      if case .account = share {
        state.usage[share] = usage
      } else {
        state.usage[share] = usage.taken == 0 && limits.requestRate == nil ? nil : usage
      }
      return next.map { state.waiters.remove(at: $0).continuation }
    }
    waiter?.resume(returning: .taken)
  }
}

extension Admission.State {
  /// Counts a request of a share. False if there were too many of late.
  fileprivate mutating func counts(_ share: Admission.Share, _ rate: (limit: RateLimit, now: UInt64)) -> Bool {
    if usage.count >= shareLimit {
      usage = usage.filter { $0.value.taken > 0 || !$0.value.requests.isFull(rate.now) }
      shareLimit = max(Admission.State.fewShares, usage.count * 2)
    }
    return usage[share, default: Admission.Usage()].requests.take(rate.limit, now: rate.now)
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
