// The extensions of one execution environment as a value: who has registered for what, and who is back in `/next`.
// States and their legal calls follow reference/runtime-api.md 1.4.
import MartletCore

/// `Poll` stands for a parked `/next`, of an extension or of the runtime.
struct ExtensionsStateMachine<Poll: Equatable> {
  enum Event: String, Equatable {
    case invoke = "INVOKE"
    case shutdown = "SHUTDOWN"
  }

  /// AWS's names of an extension's states.
  enum State: String, Equatable {
    case started = "Started"
    case registered = "Registered"
    /// Is in `/next`, or has been and lost its connection.
    case ready = "Ready"
    case running = "Running"
    case initError = "InitError"
    case exitError = "ExitError"
    case exited = "Exited"
    case launchError = "LaunchError"
  }

  struct Member: Equatable {
    let name: String
    /// Started by the platform from /opt/extensions; the others registered from within the runtime.
    let isExternal: Bool
    fileprivate(set) var id: RequestID?
    fileprivate(set) var events: [Event] = []
    fileprivate(set) var state = State.started
    /// Several are open for a moment if the extension has hung up on one of them.
    fileprivate var polls: [Poll] = []
    /// What it is to be given when it asks next.
    fileprivate var owed: Event?

    /// It will call no more.
    fileprivate var isLost: Bool { [.exited, .launchError, .initError, .exitError].contains(state) }
  }

  /// The most extensions of one environment, external and internal.
  static var limit: Int { 10 }

  private(set) var members: [Member]
  private var isOpen = true
  private var isShuttingDown = false
  /// The runtime is back in `/next`, and the environment is not: others are missing.
  private var runtimePoll: Poll?

  /// - Parameter external: names of the programs in /opt/extensions, which are started now.
  init(external: [String]) { members = external.map { Member(name: $0, isExternal: true) } }

  // MARK: Registration

  enum Refusal: Equatable {
    case closed
    case nameTaken
    case tooMany
    case wrongEvent(Event)
    case wrongState(from: State, to: State, name: String)
    case unknown
  }

  enum Registration: Equatable {
    /// `startsRuntime`: it was the last external extension that was waited for.
    case accepted(startsRuntime: Bool)
    case refused(Refusal)
  }

  mutating func register(_ name: String, _ events: [Event], id: RequestID) -> Registration {
    if let index = members.firstIndex(where: { $0.isExternal && $0.name == name }) {
      guard members[index].state == .started else {
        return .refused(.wrongState(from: members[index].state, to: .registered, name: name))
      }
      members[index].id = id
      members[index].events = events
      members[index].state = .registered
      return .accepted(startsRuntime: hasEveryExternal)
    }
    if events.contains(.shutdown) { return .refused(.wrongEvent(.shutdown)) }
    guard isOpen else { return .refused(.closed) }
    if members.contains(where: { $0.name == name }) { return .refused(.nameTaken) }
    guard members.count < ExtensionsStateMachine.limit else { return .refused(.tooMany) }
    members.append(Member(name: name, isExternal: false, id: id, events: events, state: .registered))
    return .accepted(startsRuntime: false)
  }

  private var hasEveryExternal: Bool { members.allSatisfy { !$0.isExternal || $0.state != .started } }

  // MARK: The runtime's and the extensions' /next

  /// The runtime is back in `/next`. True if everybody is: then the poll may be taken. Else it is kept.
  /// - Parameter closesRegistration: the runtime has initialised.
  mutating func runtimeIsBack(_ poll: Poll, closesRegistration: Bool) -> Bool {
    if closesRegistration { isOpen = false }
    guard !isSettled else { return true }
    runtimePoll = poll
    return false
  }

  /// Every extension is in `/next`.
  var isSettled: Bool { members.allSatisfy { $0.state == .ready } }

  /// The runtime's poll that was kept, as soon as everybody is back.
  mutating func settledPoll() -> Poll? {
    guard isSettled else { return nil }
    defer { runtimePoll = nil }
    return runtimePoll
  }

  enum Next: Equatable {
    case parked
    case deliver(Event)
    case refused(Refusal)
  }

  mutating func next(_ id: RequestID, _ poll: Poll) -> Next {
    guard let index = index(of: id) else { return .refused(.unknown) }
    switch members[index].state {
    case .registered, .ready, .running:
      if let owed = members[index].owed {
        members[index].owed = nil
        members[index].state = .running
        return .deliver(owed)
      }
      members[index].state = .ready
      members[index].polls.append(poll)
      return .parked
    case let state: return .refused(.wrongState(from: state, to: .ready, name: members[index].name))
    }
  }

  /// An invocation begins. The polls to answer with it; who has none open now gets it when it asks.
  mutating func invoke() -> [(name: String, poll: Poll)] { release(.invoke) { _ in true } }

  /// The environment ends. The polls to answer with it.
  mutating func shutDown() -> [(name: String, poll: Poll)] {
    isShuttingDown = true
    runtimePoll = nil
    return release(.shutdown) { $0.isExternal }
  }

  private mutating func release(_ event: Event, to isMeant: (Member) -> Bool) -> [(name: String, poll: Poll)] {
    var open: [(name: String, poll: Poll)] = []
    for index in members.indices where members[index].events.contains(event) && isMeant(members[index]) {
      guard [.registered, .ready, .running].contains(members[index].state) else { continue }
      members[index].state = .running
      if let poll = members[index].polls.last {
        members[index].polls = []
        open.append((members[index].name, poll))
      } else {
        members[index].owed = event
      }
    }
    return open
  }

  /// True if the poll was one of the extensions', or the runtime's that was kept.
  mutating func abandoned(_ poll: Poll) -> Bool {
    if runtimePoll == poll {
      runtimePoll = nil
      return true
    }
    guard let index = members.firstIndex(where: { $0.polls.contains(poll) }) else { return false }
    members[index].polls.removeAll { $0 == poll }
    return true
  }

  // MARK: An extension fails

  enum Report: Equatable {
    case accepted(name: String)
    case refused(Refusal)
  }

  /// `/init/error`: only between registration and the first `/next`.
  mutating func initError(_ id: RequestID) -> Report { fail(id, .initError, from: [.registered]) }

  /// `/exit/error`
  mutating func exitError(_ id: RequestID) -> Report { fail(id, .exitError, from: [.registered, .ready, .running]) }

  private mutating func fail(_ id: RequestID, _ state: State, from legal: [State]) -> Report {
    guard let index = index(of: id) else { return .refused(.unknown) }
    guard legal.contains(members[index].state) else {
      return .refused(.wrongState(from: members[index].state, to: state, name: members[index].name))
    }
    members[index].state = state
    return .accepted(name: members[index].name)
  }

  /// The process of an external extension ended, or could not be started.
  mutating func ended(_ name: String, launched: Bool = true) {
    guard let index = members.firstIndex(where: { $0.isExternal && $0.name == name }) else { return }
    members[index].state = launched ? .exited : .launchError
    members[index].polls = []
  }

  // MARK: Questions

  /// The event that ends an invocation late: someone besides the runtime takes part in it.
  var followsInvocations: Bool { members.contains { $0.events.contains(.invoke) } }

  func member(_ id: RequestID) -> Member? { index(of: id).map { members[$0] } }

  var takesPart: ShutdownStateMachine.Participants {
    if members.contains(where: { $0.isExternal }) { return .external }
    return members.isEmpty ? .none : .internalOnly
  }

  /// External extensions that are alive and want to hear of the shutdown.
  var shutdownListeners: Set<String> {
    Set(members.filter { $0.isExternal && !$0.isLost && $0.events.contains(.shutdown) }.map(\.name))
  }

  private func index(of id: RequestID) -> Int? { members.firstIndex { $0.id == id } }
}
