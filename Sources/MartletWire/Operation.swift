// An operation and the table of a service: one row each, alphabetical; the row's name is also the file's name.
import MartletCore
import NIOCore

/// A shape together with its answer.
package protocol Operation: Shape {
  associatedtype Service: Sendable
  static func answer(_ input: Input, _ call: Call, _ service: Service) async throws(AWSError) -> Output
}

/// One row of a service's table.
package struct OperationRow<Service: Sendable>: Sendable {
  package let route: Route
  /// False for an operation of AWS's model that is not built here yet.
  package let isBuilt: Bool
  /// Parses, answers through the door, and writes.
  let run: @Sendable (Reader, Call, Door, Service) async throws(AWSError) -> HTTPReply

  package init<O: Operation>(_ operation: O.Type) where O.Service == Service {
    route = O.route
    isBuilt = true
    run = { (reader, call, door, service) async throws(AWSError) -> HTTPReply in
      let input = try O.Input(reader)
      try reader.finish()
      let output = try await door.call(operation, input, call, service)
      var writer = Writer(status: O.route.status)
      output.write(to: &writer)
      return writer.reply()
    }
  }

  /// A row whose operation answers with a clear error until it is built.
  package init(missing route: Route) {
    self.route = route
    isBuilt = false
    run = { (_, _, _, _) async throws(AWSError) -> HTTPReply in throw AWSError.notImplemented(route.name) }
  }
}
