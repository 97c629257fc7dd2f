// What became of the events of asynchronous invocation lately, for `martlet explain`. In memory, the newest ones only.
import MartletCore
import MartletWire
import Synchronization

/// One event's way.
struct EventStory: Sendable, Equatable {
  enum Ending: Sendable, Equatable {
    /// It waits, or it is tried just now.
    case none
    case waits(until: Timestamp)
    case over(EventCondition)
    case dropped(String)
  }

  struct Attempt: Sendable, Equatable {
    let at: Timestamp
    let words: String
    let succeeded: Bool
  }

  let function: FunctionReference
  let accepted: Timestamp
  /// The newest ones.
  var attempts: [Attempt] = []
  var count = 0
  var ending = Ending.none
  /// Who was told, and whether that went well.
  var told: [(target: EventTarget, isDelivered: Bool)] = []

  static func == (a: EventStory, b: EventStory) -> Bool {
    a.function == b.function && a.accepted == b.accepted && a.attempts == b.attempts && a.ending == b.ending
      && a.told.map(\.target) == b.told.map(\.target) && a.told.map(\.isDelivered) == b.told.map(\.isDelivered)
  }
}

final class EventJournal: Sendable {
  private struct State {
    var stories: [RequestID: EventStory] = [:]
    /// In the order in which they came; the oldest one is overwritten.
    var ring: [RequestID] = []
    var next = 0
  }

  private let state = Mutex(State())
  private let limit: Int
  private static let attemptsKept = 8

  init(limit: Int = 4096) { self.limit = limit }

  func find(_ id: RequestID) -> EventStory? { state.withLock { $0.stories[id] } }

  func accepted(_ event: StoredEvent) { change(event) { _ in } }

  /// An attempt is over, or was not made because of what the function is like now.
  func tried(_ event: StoredEvent, _ last: EventQueue.Attempt, _ decision: Retry.Decision, at now: Timestamp) {
    change(event) { story in
      if let outcome = last.outcome {
        story.count += 1
        story.attempts.append(.init(at: now, words: last.words, succeeded: outcome == .succeeded))
        if story.attempts.count > EventJournal.attemptsKept { story.attempts.removeFirst() }
      }
      switch decision {
      case .retry(let due): story.ending = .waits(until: due)
      case .finish(let condition): story.ending = .over(condition)
      }
    }
  }

  func dropped(_ event: StoredEvent, _ reason: String) { change(event) { $0.ending = .dropped(reason) } }

  func told(_ event: StoredEvent, _ target: EventTarget, isDelivered: Bool) {
    change(event) { $0.told.append((target, isDelivered)) }
  }

  private func change(_ event: StoredEvent, _ body: (inout EventStory) -> Void) {
    state.withLock { state in
      if state.stories[event.requestID] == nil {
        state.stories[event.requestID] = EventStory(function: event.function, accepted: event.retry.accepted)
        if state.ring.count < limit {
          state.ring.append(event.requestID)
        } else {
          state.stories[state.ring[state.next]] = nil
          state.ring[state.next] = event.requestID
          state.next = (state.next + 1) % limit
        }
      }
      guard var story = state.stories.removeValue(forKey: event.requestID) else { return }
      body(&story)
      state.stories[event.requestID] = story
    }
  }
}

extension EventQueue.Attempt {
  /// What came of it, in words.
  fileprivate var words: String {
    if let response, let kind = response.functionError {
      return "the function failed (\(kind)): \(DeadLetters.message(of: response.payload).prefix(300))"
    }
    if response != nil { return "the function succeeded" }
    guard let error else { return "it could not begin" }
    return "it could not begin: \(error.code): \(error.message)"
  }
}
