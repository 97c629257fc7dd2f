// Waits for asynchronous work on the main thread, which Swift's own asynchronous main would end.
import ArgumentParser
import Dispatch
import Synchronization

enum MainThread {
  static func wait(for work: @escaping @Sendable () async throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    let failure = Mutex<(any Error)?>(nil)
    Task {
      do {
        try await work()
      } catch {
        failure.withLock { $0 = error }
      }
      done.signal()
    }
    done.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }
}

/// A command that waits for something. Not ArgumentParser's asynchronous command, because that gives up the main
/// thread, and with it the way to give up privilege (`Node.prepare`).
protocol WaitingCommand: ParsableCommand, Sendable {
  func perform() async throws
}

extension WaitingCommand {
  func run() throws { try MainThread.wait { try await perform() } }
}
