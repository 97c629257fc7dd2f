// A service that speaks REST-JSON: its table, its router, and what its errors look like on the wire.
import Logging
import MartletCore
import NIOCore

package struct RESTService<Service: Sendable>: Sendable {
  package let rows: [OperationRow<Service>]
  private let router: Router
  private let service: Service
  private let door: Door
  private let messageKey: AWSError.MessageKey?
  private let violationCode: String?

  /// - Parameters:
  ///   - messageKey: how the service spells the message of every error; nil = as the error says.
  ///   - violationCode: the code of the error that tells of violated constraints; nil = ValidationException.
  package init(
    _ service: Service, rows: [OperationRow<Service>], door: Door,
    messageKey: AWSError.MessageKey? = nil,
    violationCode: String? = nil
  ) {
    self.messageKey = messageKey
    self.violationCode = violationCode
    self.service = service
    self.rows = rows
    self.door = door
    router = Router(rows.map(\.route))
  }

  /// The row that a request means, found from its head alone.
  package func row(for request: HTTPRequest) -> OperationRow<Service>? {
    guard case .row(let index, _) = router.match(request) else { return nil }
    return rows[index]
  }

  /// Answers a request; never throws, because errors are answers too.
  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    var reply: HTTPReply
    switch router.match(request) {
    case .row(let index, let parameters):
      let names = router.parameterNames(index)
      let reader = Reader(request, parameters: zip(names, parameters).map { ($0, $1) })
      do throws(AWSError) {
        reply = try await rows[index].run(reader, call, door, service)
      } catch {
        var error = error
        if let violationCode, error.isViolation {
          error = AWSError(violationCode, status: error.status, error.message, type: error.type)
        }
        if let messageKey { error.messageKey = messageKey }
        reply = RESTService.reply(to: error)
      }
    case .methodNotAllowed, .none:
      reply = RESTService.reply(
        to: AWSError("UnknownOperationException", status: 404, "", type: nil).noting(String(request.path)))
    }
    reply.headers.append(("x-amzn-RequestId", call.requestID.description))
    return reply
  }

  /// `{"Type":"User","message":"…"}` with the code in a header.
  package static func reply(to error: AWSError) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      for member in error.members {
        w.name(member.name)
        w.value(member.value)
      }
      if let type = error.type {
        w.name("Type")
        w.value(type)
      }
      w.name(error.messageKey.rawValue)
      w.value(error.message)
    }
    let headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)] + error.headers
    return HTTPReply(status: error.status, headers: headers, body: json.buffer)
  }
}
