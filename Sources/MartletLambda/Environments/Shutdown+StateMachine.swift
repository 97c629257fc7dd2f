// The shutdown phase of an execution environment as a value: who is told, who is killed, and when (1.6 of
// reference/runtime-api.md).

struct ShutdownStateMachine: Equatable {
  /// Who is in the environment beside the runtime decides how long its end may take.
  enum Participants: Equatable {
    case none
    case internalOnly
    case external

    /// Nanoseconds from the beginning to the end.
    var budget: UInt64 {
      switch self {
      case .none: 0
      case .internalOnly: 500_000_000
      case .external: 2_000_000_000
      }
    }

    /// How much of it is the runtime's.
    var runtimeBudget: UInt64 { self == .external ? budget * 3 / 10 : budget }
  }

  enum Action: Equatable {
    case terminateRuntime
    case killRuntime
    case kill(String)
    /// Give the event to those who want it; they have until that moment.
    case tellExtensions(deadline: UInt64)
    /// Come back at that moment.
    case wait(until: UInt64)
    /// Kill what is left.
    case finish
  }

  private enum Phase: Equatable {
    case runtime
    case extensions
    case over
  }

  private let participants: Participants
  private let begun: UInt64
  private var phase = Phase.runtime
  /// External extensions that are alive, and those of them that want to hear of the end.
  private var alive: Set<String>
  private var listeners: Set<String>

  /// Moments are nanoseconds of a clock that never jumps.
  init(_ participants: Participants, extensions: Set<String>, listeners: Set<String>, now: UInt64) {
    self.participants = participants
    alive = extensions
    self.listeners = listeners.intersection(extensions)
    begun = now
  }

  mutating func begin(runtimeIsAlive: Bool) -> [Action] {
    guard participants != .none else { return end() }
    guard runtimeIsAlive else { return goOn() }
    return [.terminateRuntime, .wait(until: begun + participants.runtimeBudget)]
  }

  mutating func runtimeEnded() -> [Action] { phase == .runtime ? goOn() : [] }

  mutating func extensionEnded(_ name: String) -> [Action] {
    alive.remove(name)
    listeners.remove(name)
    return phase == .extensions && listeners.isEmpty ? end() : []
  }

  mutating func timePassed() -> [Action] {
    switch phase {
    case .runtime: [.killRuntime] + goOn()
    case .extensions: end()
    case .over: []
    }
  }

  /// The runtime is no more: now the extensions.
  private mutating func goOn() -> [Action] {
    guard !listeners.isEmpty else { return end() }
    phase = .extensions
    let deadline = begun + participants.budget
    return alive.subtracting(listeners).sorted().map { .kill($0) }
      + [.tellExtensions(deadline: deadline), .wait(until: deadline)]
  }

  private mutating func end() -> [Action] {
    phase = .over
    return [.finish]
  }
}
