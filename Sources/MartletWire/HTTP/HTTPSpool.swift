// A body on its way into a file. Disks may keep a thread waiting, and an event loop must not wait: other threads write,
// and the peer is read no further while they are behind.
import MartletCore
import NIOCore
import NIOPosix

/// Lives on its connection's event loop.
final class HTTPSpool {
  private let draft: DraftFile
  private let eventLoop: any EventLoop
  private let threads: NIOThreadPool
  private var pending = ByteBuffer()
  private var isWriting = false
  private var fault: Fault?
  private var finished: ((Result<OpenFile, Fault>) -> Void)?
  /// Bytes so far.
  private(set) var size = 0
  /// Called when the peer may be read again.
  var drained: (() -> Void)?

  /// Written at once.
  private static let lot = 1 << 20

  init(_ draft: DraftFile, eventLoop: any EventLoop, threads: NIOThreadPool = .singleton) {
    self.draft = draft
    self.eventLoop = eventLoop
    self.threads = threads
  }

  /// Enough waits to be written.
  var isFull: Bool { pending.readableBytes >= 2 * HTTPSpool.lot }

  func append(_ part: inout ByteBuffer) {
    size += part.readableBytes
    guard fault == nil else { return }
    pending.writeBuffer(&part)
    if pending.readableBytes >= HTTPSpool.lot { write() }
  }

  /// Nothing more comes. `body` is called when all of it is written.
  func finish(_ body: @escaping (Result<OpenFile, Fault>) -> Void) {
    finished = body
    write()
  }

  private func write() {
    guard !isWriting else { return }
    guard pending.readableBytes > 0 else {
      let finished = finished
      self.finished = nil
      finished?(fault.map { .failure($0) } ?? .success(draft.finish()))
      return
    }
    isWriting = true
    let (lot, draft) = (pending, draft)
    pending = ByteBuffer()
    let written: EventLoopFuture<Result<Void, Fault>> = threads.runIfActive(eventLoop: eventLoop) {
      lot.withUnsafeReadableBytes { raw in Result { () throws(Fault) in try draft.append(raw) } }
    }
    written.assumeIsolated().whenComplete { result in
      self.isWriting = false
      switch result {
      case .success(.success): break
      case .success(.failure(let fault)): self.fault = fault
      case .failure(let error): self.fault = Fault("write a body", "\(error)")
      }
      if self.fault != nil { self.pending = ByteBuffer() }
      if self.finished != nil || self.pending.readableBytes >= HTTPSpool.lot { self.write() }
      if !self.isFull { self.drained?() }
    }
  }
}
