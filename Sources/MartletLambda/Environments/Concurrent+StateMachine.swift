// An execution environment that several invocations share, as a value: an event comes in, what is to be done comes out.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html

/// `Poll` stands for a parked `/next`, `Work` for an invocation. Which of the runtime's threads or processes a poll
/// comes from is not known, and need not be: an invocation is over with its answer, and any poll takes the next one.
struct ConcurrentStateMachine<Poll: Equatable, Work: Identifiable> {
  typealias Answer = EnvironmentStateMachine<Poll, Work>.Answer

  enum State: Equatable {
    /// The runtime has been started, and nobody has asked for an event or the extensions are not done.
    case starting
    /// The runtime has said that it cannot initialise, and is expected to end.
    case initFailed
    case serving
    case gone
  }

  /// How many invocations it may have at a time.
  let limit: Int
  private(set) var state = State.starting
  private(set) var polls: [Poll] = []
  /// Accepted and not delivered, because no poll is open.
  private(set) var waiting: [Work] = []
  /// Delivered and not answered.
  private var running: [Work.ID: (work: Work, isResponding: Bool)] = [:]
  /// How many deliveries of an invocation have taken too long: their callers are answered, and the runtime is still at
  /// them.
  private var overdue: [Work.ID: Int] = [:]

  init(limit: Int) { self.limit = limit }

  // MARK: An invocation arrives

  enum Assignment {
    case deliver(Poll)
    /// It will be delivered when the runtime has initialised; its time begins then.
    case wait
    /// It will be delivered when the runtime asks again; its time runs already.
    case waitForPoll
    case refuse
  }

  mutating func assign(_ work: Work) -> Assignment {
    guard taken < limit else { return .refuse }
    switch state {
    case .starting, .initFailed:
      waiting.append(work)
      return .wait
    case .serving:
      guard running[work.id] == nil, let newest = polls.popLast() else {
        waiting.append(work)
        return .waitForPoll
      }
      running[work.id] = (work, false)
      return .deliver(newest)
    case .gone: return .refuse
    }
  }

  // MARK: The runtime calls

  enum Next {
    /// Initialisation is over.
    case initialised([(work: Work, poll: Poll)])
    case deliver(Work)
    case parked
    /// The state does not allow it; `from` names the state for the error message.
    case refuse(from: String)
  }

  /// - Parameter isSettled: the extensions are done with their initialisation.
  mutating func next(_ poll: Poll, isSettled: Bool = true) -> Next {
    switch state {
    case .starting:
      polls.append(poll)
      return isSettled ? .initialised(settle()) : .parked
    case .serving:
      // The same invocation is not at work twice: nobody could tell its answers apart.
      guard let index = waiting.firstIndex(where: { running[$0.id] == nil }) else {
        polls.append(poll)
        return .parked
      }
      let work = waiting.remove(at: index)
      running[work.id] = (work, false)
      return .deliver(work)
    case .initFailed: return .refuse(from: "InitError")
    case .gone: return .refuse(from: "Exited")
    }
  }

  /// Initialisation is over: what waits goes to the polls that are open.
  mutating func settle() -> [(work: Work, poll: Poll)] {
    guard state == .starting else { return [] }
    state = .serving
    var pairs: [(work: Work, poll: Poll)] = []
    while let work = waiting.first, running[work.id] == nil, let poll = polls.popLast() {
      waiting.removeFirst()
      running[work.id] = (work, false)
      pairs.append((work, poll))
    }
    return pairs
  }

  /// `/response` or `/error`.
  /// - Parameter isMeant: false if the answer belongs to an earlier delivery of the invocation.
  mutating func answer(_ id: Work.ID, _ isMeant: (Work) -> Bool = { _ in true }) -> Answer {
    switch state {
    case .starting: return .wrongState(from: "Started")
    case .initFailed: return .wrongState(from: "InitError")
    case .gone: return .wrongState(from: "Exited")
    case .serving: break
    }
    guard let (work, isResponding) = running[id], isMeant(work) else { return .wrongIdentifier }
    if isResponding { return .wrongState(from: "InvocationResponse") }
    running[id] = nil
    return .accept(work)
  }

  /// An answer whose caller has been told already that the time was over. True if there is such an invocation: its
  /// place is free now.
  mutating func answerLate(_ id: Work.ID) -> Bool {
    guard let count = overdue[id] else { return false }
    overdue[id] = count > 1 ? count - 1 : nil
    return true
  }

  /// The head of a response that is to be passed on as it comes; nil if none is expected.
  mutating func beginResponse(_ id: Work.ID) -> Work? {
    guard let (work, isResponding) = running[id], !isResponding else { return nil }
    running[id] = (work, true)
    return work
  }

  /// The end of that response, good or bad; nil if there is none under way.
  mutating func endResponse(_ id: Work.ID) -> Work? {
    guard let (work, isResponding) = running[id], isResponding else { return nil }
    running[id] = nil
    return work
  }

  /// `/init/error`. nil if that is legal now, else the name of the state that forbids it.
  mutating func initError() -> String? {
    switch state {
    case .starting:
      state = .initFailed
      return nil
    case .initFailed: return "InitError"
    case .serving: return "Ready"
    case .gone: return "Exited"
    }
  }

  /// The connection of a parked poll broke.
  mutating func abandoned(_ poll: Poll) { polls.removeAll { $0 == poll } }

  // MARK: Time, and the end

  /// Takes out the invocations whose time is over. What was delivered keeps its place until the runtime is done with
  /// it.
  mutating func expire(_ isOver: (Work) -> Bool) -> [(work: Work, wasDelivered: Bool)] {
    guard state == .serving else { return [] }
    let late = running.values.map(\.work).filter(isOver)
    for work in late {
      running[work.id] = nil
      overdue[work.id, default: 0] += 1
    }
    let neverBegun = waiting.filter(isOver)
    waiting.removeAll(where: isOver)
    return late.map { ($0, true) } + neverBegun.map { ($0, false) }
  }

  /// Every place is taken by an invocation that has taken too long: it will be of no use again.
  var isStuck: Bool { overdue.values.reduce(0, +) >= limit }

  /// The runtime has ended, or the environment is to be removed. Returns what it had in hands.
  mutating func remove() -> [Work] {
    defer {
      state = .gone
      polls = []
      waiting = []
      running = [:]
      overdue = [:]
    }
    return all
  }

  // MARK: Questions

  /// The invocations that are to be answered.
  var all: [Work] { waiting + running.values.map(\.work) }

  /// True while nobody waits for an answer.
  var isFree: Bool { waiting.isEmpty && running.isEmpty }

  var isInitialising: Bool { state == .starting || state == .initFailed }

  func isRunning(_ id: Work.ID) -> Bool { running[id]?.isResponding == false }

  func isRunning(_ isMeant: (Work) -> Bool) -> Bool { running.values.contains { isMeant($0.work) } }

  func earliest(_ moment: (Work) -> UInt64?) -> UInt64? { all.lazy.compactMap(moment).min() }

  private var taken: Int { waiting.count + running.count + overdue.values.reduce(0, +) }
}
