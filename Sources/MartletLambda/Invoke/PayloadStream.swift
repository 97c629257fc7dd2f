// The payload of a streamed response, on its way from the environment's event loop to wherever it is read.
import NIOCore
import Synchronization

/// Whoever writes is held up while the reader is behind: no more than a few pieces lie here, however long the response.
package final class PayloadStream: Sendable {
  /// Why a response is not complete: an error type, and the document that describes the error.
  package typealias Failure = (type: String, document: ByteBuffer)

  /// How a response ended.
  package struct Ending: Sendable {
    package var failure: Failure?
    /// The last 4 KiB of the log, if the invocation wanted it.
    package var log: ByteBuffer?
  }

  package enum Piece: Sendable {
    case bytes(ByteBuffer)
    case end(Ending)
    /// Nothing now; see `wait`.
    case nothing
  }

  private struct State {
    /// The pieces from `first` on are to be read.
    var queue: [ByteBuffer] = []
    var first = 0
    var size = 0
    var ending: Ending?
    var isCancelled = false
    /// Who waits for something to read.
    var reader: (@Sendable () -> Void)?
    /// The writer was told to wait.
    var isFull = false
    var whenEnded: (@Sendable () -> Void)?

    var isReadable: Bool { first < queue.count || ending != nil }
  }

  private let state = Mutex(State())
  /// Called when whoever was held up may go on; from any thread.
  private let resume: @Sendable () -> Void

  /// Bytes that may wait to be read before the writer is held up, and how few there must be for it to go on.
  private static let high = 256 * 1024
  private static let low = 64 * 1024

  package init(resume: @escaping @Sendable () -> Void) { self.resume = resume }

  // MARK: - Writing

  /// - Returns: false if the writer shall wait until `resume`.
  package func write(_ part: ByteBuffer) -> Bool {
    guard part.readableBytes > 0 else { return true }
    let reader = state.withLock { state -> (@Sendable () -> Void)? in
      guard !state.isCancelled, state.ending == nil else { return nil }
      state.queue.append(part)
      state.size += part.readableBytes
      return state.reader.take()
    }
    reader?()
    return state.withLock { state in
      state.isFull = state.size >= PayloadStream.high
      return !state.isFull
    }
  }

  /// Whether the writer waits for the reader.
  package var isHeldUp: Bool { state.withLock { $0.isFull } }

  /// Nothing more comes. Later endings are ignored.
  package func finish(_ ending: Ending) {
    let (reader, whenEnded) = state.withLock { state in
      guard state.ending == nil else { return (nil, nil) as ((@Sendable () -> Void)?, (@Sendable () -> Void)?) }
      state.ending = ending
      return (state.reader.take(), state.whenEnded.take())
    }
    reader?()
    whenEnded?()
  }

  /// Calls `body` when the response has ended, which may be now.
  package func whenEnded(_ body: @escaping @Sendable () -> Void) {
    let hasEnded = state.withLock { state in
      if state.ending == nil { state.whenEnded = body }
      return state.ending != nil
    }
    if hasEnded { body() }
  }

  // MARK: - Reading

  /// The next piece, which is not there afterwards; the end stays.
  package func take() -> Piece {
    let (piece, resumes) = state.withLock { state -> (Piece, Bool) in
      guard state.first < state.queue.count else { return (state.ending.map { .end($0) } ?? .nothing, false) }
      let part = state.queue[state.first]
      state.queue[state.first] = ByteBuffer()
      state.first += 1
      state.size -= part.readableBytes
      if state.first == state.queue.count {
        state.queue.removeAll(keepingCapacity: true)
        state.first = 0
      }
      let resumes = state.isFull && state.size <= PayloadStream.low
      if resumes { state.isFull = false }
      return (.bytes(part), resumes)
    }
    if resumes { resume() }
    return piece
  }

  /// What was taken too much comes next again.
  package func putBack(_ part: ByteBuffer) {
    guard part.readableBytes > 0 else { return }
    state.withLock { state in
      state.queue.insert(part, at: state.first)
      state.size += part.readableBytes
    }
  }

  /// Calls `body` once when there is something to take, which may be now; from any thread.
  package func wait(_ body: @escaping @Sendable () -> Void) {
    let isReadable = state.withLock { state in
      if !state.isReadable { state.reader = body }
      return state.isReadable
    }
    if isReadable { body() }
  }

  /// The next piece or the end, as soon as it is there.
  package func next() async -> Piece {
    while true {
      let piece = take()
      guard case .nothing = piece else { return piece }
      await withCheckedContinuation { continuation in wait { continuation.resume() } }
    }
  }

  /// Nobody reads any more. The function goes on, and what it writes is dropped.
  package func cancel() {
    let resumes = state.withLock { state in
      state.isCancelled = true
      state.reader = nil
      state.queue = []
      state.first = 0
      state.size = 0
      defer { state.isFull = false }
      return state.isFull
    }
    if resumes { resume() }
  }
}
