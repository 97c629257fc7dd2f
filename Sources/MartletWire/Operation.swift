// An operation and the table of a service: one row each, alphabetical; the row's name is also the file's name.
import MartletCore
import NIOCore

/// How much of an operation is built. `docs/operations.md` shows it, and UNIMPLEMENTED.txt what is not `executes`.
package enum OperationStage: String, Sendable {
  /// Does what AWS does.
  case executes
  /// Checks its input and keeps it; what is kept has no effect yet.
  case stored
  /// Checks its input and answers that the rest is missing.
  case notYet = "not yet"
}

/// A shape together with its answer.
package protocol Operation: Shape {
  associatedtype Service: Sendable
  static var stage: OperationStage { get }
  static func answer(_ input: Input, _ call: Call, _ service: Service) async throws(AWSError) -> Output
}

extension Operation {
  package static var stage: OperationStage { .executes }
}

/// One row of a service's table.
package struct OperationRow<Service: Sendable>: Sendable {
  package let route: Route
  package let stage: OperationStage
  /// False for an operation of AWS's model that has no file here yet.
  package let isWritten: Bool
  /// Parses, answers through the door, and writes.
  package let run: @Sendable (Reader, Call, Door, Service) async throws(AWSError) -> HTTPReply

  package init<O: Operation>(_ operation: O.Type) where O.Service == Service {
    route = O.route
    stage = O.stage
    isWritten = true
    let kind = AuditClass.of(O.route.name)
    run = { (reader, call, door, service) async throws(AWSError) -> HTTPReply in
      guard let auditor = door.auditor(of: kind) else {
        return try await OperationRow.answer(operation, reader, call, door, service)
      }
      do throws(AWSError) {
        let reply = try await OperationRow.answer(operation, reader, call, door, service)
        auditor.take(AuditDraft(O.route, kind, reader, call, .answered(reply)))
        return reply
      } catch {
        auditor.take(AuditDraft(O.route, kind, reader, call, .refused(error)))
        throw error
      }
    }
  }

  private static func answer<O: Operation>(
    _ operation: O.Type, _ reader: Reader, _ call: Call, _ door: Door, _ service: Service
  ) async throws(AWSError) -> HTTPReply where O.Service == Service {
    let input = try O.Input(reader)
    try reader.finish()
    let output = try await door.call(operation, input, call, service)
    var writer = Writer(
      status: O.route.status, element: reader.isText ? "\(O.route.action)Result" : nil, isBinary: reader.isBinary,
      names: reader.names)
    output.write(to: &writer)
    return writer.reply()
  }

  /// A row whose operation answers with a clear error until it is built.
  package init(missing route: Route) {
    self.route = route
    stage = .notYet
    isWritten = false
    run = { (_, _, _, _) async throws(AWSError) -> HTTPReply in throw AWSError.notImplemented(route.name) }
  }
}
