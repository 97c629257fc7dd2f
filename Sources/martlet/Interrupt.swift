// Ctrl-C, for commands that leave something behind which must be taken away.
import Dispatch
import Glibc
import Synchronization

/// Its sources are made once and only kept.
final class Interrupt: @unchecked Sendable {
  private let sources: [any DispatchSourceSignal]
  private let flag: Flag

  private final class Flag: Sendable {
    let hasHappened = Atomic<Bool>(false)
  }

  /// Calls `body` at the first SIGINT, SIGTERM or SIGHUP; the second ends the program.
  init(_ body: @escaping @Sendable () -> Void) {
    let flag = Flag()
    self.flag = flag
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        guard !flag.hasHappened.exchange(true, ordering: .relaxed) else { _exit(130) }
        body()
      }
      source.resume()
      return source
    }
  }

  var isOver: Bool { flag.hasHappened.load(ordering: .relaxed) }
}
