// An execution environment as a value: an event comes in, what is to be done comes out. No I/O, no clock.
// States and their legal calls follow reference/runtime-api.md 1.2 and 1.6.

/// `Poll` stands for a parked `/next`, `Work` for an invocation.
struct EnvironmentStateMachine<Poll: Equatable, Work> {
  /// INIT happens once before the first invocation, with a boost and a limit of its own; after a failure it is repeated
  /// inside of an invocation, at that invocation's cost ("suppressed").
  enum Phase: Equatable { case initialisation, invocation }

  /// Why a runtime is of no more use.
  enum Failure: Equatable {
    case exited(ExitReason)
    case timedOut
    /// The runtime could not be started at all.
    case notStarted(type: String, message: String)
    /// An extension failed, and with it the whole environment.
    case extensionFailed(type: String, message: String)
  }

  enum State {
    /// The runtime has been started and has not asked for its first event. `work` waits for it.
    case starting(Phase, Work?)
    /// The same of one that is told to go on from its snapshot: its hooks run.
    case restoring(Phase, Work?)
    /// The runtime has said that it cannot initialise, and is expected to end.
    case initFailed(Phase, Work?)
    /// The runtime is parked in `/next`. Several polls are open for a moment if it has hung up on one of them.
    case idle([Poll])
    /// The runtime was idle, and its connection broke; it will ask again. `work` waits for that.
    case disconnected(Work?)
    /// The runtime has an event and has not answered.
    case working(Work)
    /// The runtime has begun to answer, and its answer is being passed on.
    case responding(Work)
    /// The runtime has answered and has not come back to `/next`. The invocation goes on until then.
    case answered(Work)
    /// Every process is being killed; afterwards `work` gets a new runtime.
    case resetting(Work?)
    /// No runtime; /tmp is kept.
    case stopped
    case gone
  }

  private(set) var state = State.starting(.initialisation, nil)
  /// It begins with a snapshot, and not with an INIT that could be repeated.
  var restores = false

  // MARK: An invocation arrives

  enum Assignment {
    case deliver(Poll)
    /// It will be delivered when the runtime has initialised; its time begins then.
    case wait
    /// It will be delivered when the runtime asks again; its time runs already.
    case waitForPoll
    /// Start a runtime for it; the invocation's time runs already.
    case start
    case refuse
  }

  mutating func assign(_ work: Work) -> Assignment {
    switch state {
    case .idle(let polls):
      guard let newest = polls.last else { preconditionFailure("idle without a poll") }
      state = .working(work)
      return .deliver(newest)
    case .starting(let phase, nil):
      state = .starting(phase, work)
      return .wait
    case .restoring(let phase, nil):
      state = .restoring(phase, work)
      return .wait
    case .initFailed(let phase, nil):
      state = .initFailed(phase, work)
      return .wait
    case .disconnected(nil):
      state = .disconnected(work)
      return .waitForPoll
    case .resetting(nil):
      state = .resetting(work)
      return .wait
    case .stopped:
      state = .starting(.invocation, work)
      return .start
    case .starting, .restoring, .initFailed, .disconnected, .working, .responding, .answered, .resetting, .gone:
      return .refuse
    }
  }

  // MARK: The runtime calls

  enum Next {
    /// Initialisation is over; the event goes to this poll if there is one.
    case initialised(Phase, Work?)
    /// The invocation is over, and the environment free.
    case finished(Work)
    case deliver(Work)
    /// Nothing new: the poll is parked.
    case parked
    /// The state does not allow it; `from` names the state for the error message.
    case refuse(from: String)
  }

  mutating func next(_ poll: Poll) -> Next {
    switch state {
    case .starting(let phase, let work), .restoring(let phase, let work):
      state = work.map { .working($0) } ?? .idle([poll])
      return .initialised(phase, work)
    case .idle(let polls):
      state = .idle(polls + [poll])
      return .parked
    case .disconnected(nil):
      state = .idle([poll])
      return .parked
    case .disconnected(.some(let work)), .working(let work):
      state = .working(work)
      return .deliver(work)
    case .answered(let work):
      state = .idle([poll])
      return .finished(work)
    case .initFailed:
      return .refuse(from: "InitError")
    case .responding:
      return .refuse(from: "InvocationResponse")
    case .resetting, .stopped, .gone:
      return .refuse(from: "Exited")
    }
  }

  enum Answer {
    case accept(Work)
    /// It is not the identifier of the current invocation.
    case wrongIdentifier
    /// The state does not allow it; `from` names the state for the error message.
    case wrongState(from: String)
  }

  /// `/response` or `/error`. `isCurrent` compares the identifier in the path.
  mutating func answer(_ isCurrent: (Work) -> Bool) -> Answer {
    switch state {
    case .working(let work):
      guard isCurrent(work) else { return .wrongIdentifier }
      state = .answered(work)
      return .accept(work)
    case .responding(let work), .answered(let work):
      return isCurrent(work) ? .wrongState(from: "InvocationResponse") : .wrongIdentifier
    case .starting: return .wrongState(from: "Started")
    case .restoring: return .wrongState(from: "Restoring")
    case .initFailed: return .wrongState(from: "InitError")
    case .idle, .disconnected: return .wrongIdentifier
    case .resetting, .stopped, .gone: return .wrongState(from: "Exited")
    }
  }

  /// The head of a response that is to be passed on as it comes; nil if none is expected.
  mutating func beginResponse() -> Work? {
    guard case .working(let work) = state else { return nil }
    state = .responding(work)
    return work
  }

  /// The end of that response, good or bad; nil if there is none under way.
  mutating func endResponse() -> Work? {
    guard case .responding(let work) = state else { return nil }
    state = .answered(work)
    return work
  }

  /// `/init/error`. nil if that is legal now, else the name of the state that forbids it.
  mutating func initError() -> String? {
    switch state {
    case .starting(let phase, let work), .restoring(let phase, let work):
      state = .initFailed(phase, work)
      return nil
    case .initFailed: return "InitError"
    case .working, .responding: return "Running"
    default: return "Ready"
    }
  }

  // MARK: Snapshots

  enum RestoreNext {
    /// The runtime is told to go on.
    case restore(Phase)
    /// The state does not allow it; `from` names the state for the error message.
    case refuse(from: String)
  }

  /// `/restore/next`: the runtime is initialised, and waits for what comes after its snapshot.
  mutating func restoreNext() -> RestoreNext {
    guard case .starting(let phase, let work) = state else { return .refuse(from: nameOfState) }
    state = .restoring(phase, work)
    return .restore(phase)
  }

  /// `/restore/error`. nil if that is legal now, else the name of the state that forbids it.
  mutating func restoreError() -> String? {
    guard case .restoring(let phase, let work) = state else { return nameOfState }
    state = .initFailed(phase, work)
    return nil
  }

  private var nameOfState: String {
    switch state {
    case .starting: "Started"
    case .restoring: "Restoring"
    case .initFailed: "InitError"
    case .working, .responding: "Running"
    case .answered: "ResponseSent"
    case .idle, .disconnected: "Ready"
    case .resetting, .stopped, .gone: "Exited"
    }
  }

  /// True if `isCurrent` holds for the invocation that the runtime has in hands.
  func isWorking(on isCurrent: (Work) -> Bool) -> Bool {
    if case .working(let work) = state { isCurrent(work) } else { false }
  }

  /// The connection of a parked poll broke.
  mutating func abandoned(_ poll: Poll) {
    guard case .idle(let polls) = state else { return }
    let open = polls.filter { $0 != poll }
    state = open.isEmpty ? .disconnected(nil) : .idle(open)
  }

  // MARK: The runtime fails

  enum Breakdown {
    /// Reset the sandbox and start again: the failed initialisation is repeated inside the invocation that waits.
    case retry(Work?)
    /// There is no snapshot to go on from: the invocation cannot run, and the environment is of no use.
    case refuse(Work)
    /// Answer the invocation with the failure, and reset the sandbox.
    case fail(Work, during: Phase?)
    /// The invocation was answered already; reset the sandbox and end it.
    case end(Work)
    /// Nobody waits. The environment is of no use.
    case discard
    case ignore
  }

  /// The process ended, could not be started, or took too long.
  mutating func broke(_ failure: Failure) -> Breakdown {
    switch state {
    case .starting(.initialisation, .some(let work)), .initFailed(.initialisation, .some(let work)),
      .restoring(.initialisation, .some(let work)):
      state = restores ? .gone : .resetting(work)
      return restores ? .refuse(work) : .retry(work)
    case .starting(_, nil), .initFailed(_, nil), .restoring(_, nil):
      state = .gone
      return .discard
    case .starting(.invocation, .some(let work)), .initFailed(.invocation, .some(let work)),
      .restoring(.invocation, .some(let work)):
      state = .resetting(nil)
      return .fail(work, during: .invocation)
    case .working(let work), .responding(let work), .disconnected(.some(let work)):
      state = .resetting(nil)
      return .fail(work, during: nil)
    case .answered(let work):
      state = .resetting(nil)
      return .end(work)
    case .idle, .disconnected(nil):
      state = .gone
      return .discard
    case .resetting, .stopped, .gone:
      return .ignore
    }
  }

  enum AfterReset {
    /// Start a runtime; the invocation that waits pays for its initialisation.
    case start(Work)
    /// Free, without a runtime.
    case stopped
    case ignore
  }

  mutating func wasReset() -> AfterReset {
    guard case .resetting(let work) = state else { return .ignore }
    guard let work else {
      state = .stopped
      return .stopped
    }
    state = .starting(.invocation, work)
    return .start(work)
  }

  /// The sandbox is lost or is to be removed. Returns its invocation, and whether that was answered.
  mutating func remove() -> (work: Work, answered: Bool)? {
    defer { state = .gone }
    switch state {
    case .starting(_, let work?), .restoring(_, let work?), .initFailed(_, let work?), .disconnected(let work?),
      .resetting(let work?), .working(let work), .responding(let work):
      return (work, false)
    case .answered(let work): return (work, true)
    default: return nil
    }
  }

  /// True if an invocation may be given to it at once, or after a start.
  var isFree: Bool {
    switch state {
    case .idle, .disconnected(nil), .stopped: true
    default: false
    }
  }

  /// True while it initialises for nobody in particular.
  var isStarting: Bool {
    switch state {
    case .starting(_, nil), .restoring(_, nil), .initFailed(_, nil): true
    default: false
    }
  }

  /// The invocation that it has or that waits for it.
  var work: Work? {
    switch state {
    case .starting(_, let work), .restoring(_, let work), .initFailed(_, let work), .disconnected(let work),
      .resetting(let work):
      work
    case .working(let work), .responding(let work), .answered(let work): work
    case .idle, .stopped, .gone: nil
    }
  }

  /// True until the runtime's first `/next`.
  var isInitialising: Bool {
    switch state {
    case .starting, .restoring: true
    default: false
    }
  }

  /// True between the runtime's answer and its `/next`.
  var isAnswered: Bool { if case .answered = state { true } else { false } }

  var isParked: Bool { if case .idle = state { true } else { false } }
}

/// How the runtime's process ended.
enum ExitReason: Equatable {
  case code(Int)
  case signal(Int)
  case outOfMemory
}
