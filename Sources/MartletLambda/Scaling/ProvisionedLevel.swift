// One qualifier's provisioned concurrency: which environments there are for it, and what to do next. A value; the shell
// around it is ProvisionedConcurrency.swift.

/// - `E`: an environment; a test may use numbers.
struct ProvisionedLevel<E: Hashable & Sendable>: Sendable {
  enum Status: String, Sendable {
    case inProgress = "IN_PROGRESS"
    case ready = "READY"
    case failed = "FAILED"
  }

  /// What the shell is to do.
  struct Actions: Equatable {
    /// How many environments to start.
    var start = 0
    /// Environments that are not kept any longer.
    var release: [E] = []
  }

  private(set) var requested: Int
  private(set) var starting: Set<E> = []
  private(set) var ready: Set<E> = []
  /// Of the version that was provisioned before; kept until the new ones are ready.
  private(set) var former: Set<E> = []
  private var failure: String?
  /// Starts that failed one after the other.
  private(set) var failures = 0
  /// The version has been at its level: what fails from then on is tried again.
  private var hasBeenReady = false
  /// No more at the same time, so that a big level does not starve what runs.
  private let atOnce: Int

  init(requested: Int, atOnce: Int) {
    self.requested = requested
    self.atOnce = atOnce
  }

  var status: Status { failure != nil ? .failed : ready.count >= requested ? .ready : .inProgress }
  var statusReason: String? { failure }
  /// Environments that are initialised; while the version changes, those of the former one count as well.
  var available: Int { min(requested, max(ready.count, former.count)) }
  var allocated: Int { available }

  /// The level is asked for anew: a failure is forgotten.
  mutating func request(_ count: Int) -> Actions {
    requested = count
    (failure, failures) = (nil, 0)
    return next()
  }

  /// Another version is to be provisioned: what there is stays until the other is ready.
  mutating func changeVersion() -> Actions {
    var actions = Actions()
    actions.release = Array(starting) + Array(former)
    former = ready
    ready = []
    starting = []
    (failure, failures) = (nil, 0)
    hasBeenReady = false
    actions.start = next().start
    return actions
  }

  /// Tries once more to replace what is lost. One that works is followed by the others.
  mutating func retry() -> Actions {
    guard failure != nil, hasBeenReady, starting.isEmpty, ready.count < requested else { return Actions() }
    return Actions(start: 1)
  }

  mutating func started(_ environment: E) { starting.insert(environment) }

  mutating func initialised(_ environment: E) -> Actions {
    guard starting.remove(environment) != nil else { return Actions(start: 0, release: [environment]) }
    ready.insert(environment)
    if hasBeenReady { (failure, failures) = (nil, 0) }
    if ready.count >= requested { hasBeenReady = true }
    return next()
  }

  /// An environment died, or could not be initialised.
  mutating func gone(_ environment: E) -> Actions {
    if starting.remove(environment) != nil {
      failure = "FUNCTION_ERROR_INIT_FAILURE"
      failures += 1
    }
    ready.remove(environment)
    former.remove(environment)
    return next()
  }

  /// The host cannot start one.
  mutating func refused(_ reason: String) {
    failure = reason
    failures += 1
  }

  /// The level is given up.
  mutating func end() -> [E] {
    defer {
      starting = []
      ready = []
      former = []
    }
    return Array(starting) + Array(ready) + Array(former)
  }

  private mutating func next() -> Actions {
    var actions = Actions()
    while ready.count > requested, let extra = ready.popFirst() { actions.release.append(extra) }
    while ready.count + starting.count > requested, let extra = starting.popFirst() { actions.release.append(extra) }
    if ready.count >= requested {
      actions.release += former
      former = []
    } else if failure == nil {
      actions.start = min(requested - ready.count - starting.count, atOnce - starting.count)
    }
    return actions
  }
}
