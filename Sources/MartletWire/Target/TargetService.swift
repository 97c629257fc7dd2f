// A service that speaks AWS JSON: `X-Amz-Target` names the operation, the body holds its members.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
import Logging
import MartletCore
import NIOCore

package struct TargetService<Service: Sendable>: WireService {
  package let rows: [OperationRow<Service>]
  private let version: String
  private let namespace: String
  private let queryCodes: [String: String]?
  private let violationCode: String
  private let byAction: [String: Int]
  private let service: Service
  private let door: Door

  /// - Parameters:
  ///   - version: `1.0` or `1.1`, as the media type says it.
  ///   - namespace: of the errors' types.
  ///   - queryCodes: the codes that errors have in the query protocol, where they are others than the model's, for a
  ///     service whose clients go by these; nil = it never spoke that protocol.
  ///   - violationCode: the code of the error that tells of violated constraints.
  package init(
    _ service: Service, rows: [OperationRow<Service>], version: String, namespace: String,
    queryCodes: [String: String]? = nil, violationCode: String = "ValidationException", door: Door
  ) {
    self.violationCode = violationCode
    self.service = service
    self.rows = rows
    self.version = version
    self.namespace = namespace
    self.queryCodes = queryCodes
    self.door = door
    byAction = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.route.action, $0) })
  }

  /// Answers a request; never throws, because errors are answers too.
  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    var reply: HTTPReply
    do throws(AWSError) {
      reply = try await run(request, call)
    } catch {
      reply = self.reply(to: error)
    }
    reply.headers.append(("x-amzn-RequestId", call.requestID.description))
    return reply
  }

  private func run(_ request: HTTPRequest, _ call: Call) async throws(AWSError) -> HTTPReply {
    let target = request.header("X-Amz-Target") ?? ""
    guard let dot = target.lastIndex(of: "."), let index = byAction[String(target[target.index(after: dot)...])] else {
      throw AWSError("UnknownOperationException", status: 400, "", type: nil).noting(target)
    }
    guard !request.bodyExceedsLimit else {
      throw AWSError("RequestEntityTooLargeException", status: 413, "The request is too large.")
    }
    var reply = try await rows[index].run(Reader(request), call, door, service)
    // A stream of events says itself what it is.
    if reply.stream != nil { return reply }
    reply.headers.removeAll { $0.name == "Content-Type" }
    reply.headers.append(("Content-Type", "application/x-amz-json-\(version)"))
    return reply
  }

  /// `{"__type":"namespace#Code","message":…}`
  private func reply(to error: AWSError) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("__type")
      w.value("\(namespace)#\(error.isViolation ? violationCode : error.code)")
      for member in error.members {
        w.name(member.name)
        w.value(member.value)
      }
      for document in error.documents {
        guard let value = try? JSONValue(parsing: document.json) else { continue }
        w.name(document.name)
        w.value(value)
      }
      w.name("message")
      w.value(error.message)
    }
    var headers = [("Content-Type", "application/x-amz-json-\(version)")] + error.headers
    if let queryCodes {
      headers.append(
        ("x-amzn-query-error", "\(queryCodes[error.code] ?? error.code);\(error.status < 500 ? "Sender" : "Receiver")"))
    }
    return HTTPReply(status: error.status, headers: headers, body: json.buffer)
  }
}
