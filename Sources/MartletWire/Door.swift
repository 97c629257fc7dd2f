// The one door: every caller of an operation comes through here, whether by HTTP or from inside the process.
import Logging
import MartletCore
import Synchronization

package final class Door: Sendable {
  private let log: Logger
  /// Calls and refusals so far, per operation.
  private let counts = Mutex<[String: Count]>([:])

  /// Which kinds of calls are told to the auditor (Audit/AuditSink.swift).
  let audited = Atomic<UInt8>(0)
  let auditor = Mutex<(any AuditSink)?>(nil)

  /// Who answers a shape, inside this process or at a remote endpoint, by the shape's type.
  private let offers = Mutex<[ObjectIdentifier: any Sendable]>([:])

  private struct Offer<S: Shape>: Sendable {
    let isRemote: Bool
    let answer: @Sendable (S.Input, Call) async throws(AWSError) -> S.Output
  }

  package struct Count: Sendable, Equatable {
    package var calls = 0
    package var refused = 0
  }

  package init(log: Logger) { self.log = log }

  // MARK: - From one service to another

  /// Lets other services call an operation of `service`.
  package func offer<O: Operation>(_ operation: O.Type, by service: O.Service) {
    offer(operation) { (input, call) async throws(AWSError) -> O.Output in
      try await self.call(operation, input, call, service)
    }
  }

  /// Lets services call a shape that `answer` answers.
  /// - Parameter isRemote: it is answered by somebody else's program.
  package func offer<S: Shape>(
    _ shape: S.Type, isRemote: Bool = false,
    answer: @escaping @Sendable (S.Input, Call) async throws(AWSError) -> S.Output
  ) {
    offers.withLock { $0[ObjectIdentifier(shape)] = Offer<S>(isRemote: isRemote, answer: answer) }
  }

  /// True if somebody answers the shape.
  package func isOffered<S: Shape>(_ shape: S.Type) -> Bool {
    offers.withLock { $0[ObjectIdentifier(shape)] != nil }
  }

  /// True if the shape is answered by somebody else's program.
  package func isRemote<S: Shape>(_ shape: S.Type) -> Bool {
    (offers.withLock { $0[ObjectIdentifier(shape)] } as? Offer<S>)?.isRemote ?? false
  }

  /// Calls another service.
  package func call<S: Shape>(_ shape: S.Type, _ input: S.Input, _ call: Call) async throws(AWSError) -> S.Output {
    guard let offer = offers.withLock({ $0[ObjectIdentifier(shape)] }) as? Offer<S> else {
      throw .notImplemented(S.route.name)
    }
    return try await offer.answer(input, call)
  }

  // MARK: - Every call

  /// Runs an operation for a caller: the place where authorisation, throttling and tracing stand when they are built,
  /// so that each is written once. What comes by HTTP is told to the auditor by its row, which knows all that was said.
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
        // What is not built is no fault of this server's.
        log.log(
          level: error.status == 501 ? .notice : .error, "operation failed",
          metadata: [
            "operation": "\(O.route.name)", "request": "\(call.requestID)", "code": "\(error.code)",
            "note": "\(error.note ?? error.message)",
          ])
      }
      throw error
    }
  }

  /// Calls of every operation that was called, in the order of their names.
  package var allCounts: [(operation: String, count: Count)] {
    counts.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  package func count(of operation: String) -> Count { counts.withLock { $0[operation] ?? Count() } }

  private func count(_ name: String, refused: Bool) {
    counts.withLock { counts in
      counts[name, default: Count()].calls += 1
      if refused { counts[name, default: Count()].refused += 1 }
    }
  }
}
