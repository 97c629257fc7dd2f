// What waits to be exported: bounded, handed over without waiting, taken in batches.
import Synchronization

final class TelemetryQueue<Item: Sendable>: Sendable {
  private struct State {
    var items: [Item] = []
    var size = 0
    var dropped = 0
  }

  private let state = Mutex(State())
  /// Bytes, about.
  private let limit: Int
  /// One for each time that the queue is not empty any more; ends with `stop`.
  let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation

  init(limit: Int) {
    self.limit = limit
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Not much room is left: what gathers here should go.
  var isFilling: Bool { state.withLock { $0.size > limit / 4 } }
  var count: Int { state.withLock { $0.items.count } }

  /// - Parameter weight: how many things an item is, where it is dropped.
  /// - Returns: false if there is no room.
  @discardableResult
  func add(_ item: Item, size: Int, weight: Int) -> Bool {
    let taken = state.withLock { state in
      guard state.size + size <= limit else {
        state.dropped += weight
        return false
      }
      state.items.append(item)
      state.size += size
      return true
    }
    if taken { poke.yield() }
    return taken
  }

  /// Everything that waits.
  func take() -> [Item] {
    state.withLock { state in
      defer { (state.items, state.size) = ([], 0) }
      return state.items
    }
  }

  var dropped: Int { state.withLock { $0.dropped } }

  func stop() { poke.finish() }
}
