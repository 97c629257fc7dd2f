// What wakes the loop that runs export tasks, and ends it.
import Synchronization

final class ExportLine: Sendable {
  let pokes: AsyncStream<Void>
  private let poke: AsyncStream<Void>.Continuation
  private let hasEnded = Atomic<Bool>(false)
  /// Ids of tasks that moves of the clock wait for.
  let begun = Mutex<Set<String>>([])

  init() {
    (pokes, poke) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    // There may be tasks of the server before this one.
    poke.yield()
  }

  var isOver: Bool { hasEnded.load(ordering: .relaxed) }

  func wake() { poke.yield() }

  func end() {
    hasEnded.store(true, ordering: .relaxed)
    poke.finish()
  }
}
