// The one door: every caller of an operation comes through here, whether by HTTP or from inside the process.
import Logging
import MartletCore
import Synchronization

package final class Door: Sendable {
  private let log: Logger
  /// Calls and refusals so far, per operation.
  private let counts = Mutex<[String: Count]>([:])

  package struct Count: Sendable, Equatable {
    package var calls = 0
    package var refused = 0
  }

  package init(log: Logger) { self.log = log }

  /// Runs an operation for a caller: the place where authorisation, throttling, tracing and audit stand when they are
  /// built, so that each is written once.
  package func call<O: Operation>(
    _ operation: O.Type, _ input: O.Input, _ call: Call, _ service: O.Service
  ) async throws(AWSError) -> O.Output {
    do throws(AWSError) {
      let output = try await O.answer(input, call, service)
      count(O.route.name, refused: false)
      return output
    } catch {
      count(O.route.name, refused: true)
      if error.status >= 500 {
        log.error(
          "operation failed",
          metadata: [
            "operation": "\(O.route.name)", "request": "\(call.requestID)", "code": "\(error.code)",
            "note": "\(error.note ?? error.message)",
          ])
      }
      throw error
    }
  }

  package func count(of operation: String) -> Count { counts.withLock { $0[operation] ?? Count() } }

  private func count(_ name: String, refused: Bool) {
    counts.withLock { counts in
      counts[name, default: Count()].calls += 1
      if refused { counts[name, default: Count()].refused += 1 }
    }
  }
}
