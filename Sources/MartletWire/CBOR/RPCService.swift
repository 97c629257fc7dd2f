// A service that speaks Smithy's RPC v2 in CBOR: the path names the operation, the body is a map of its members.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
import Logging
import MartletCore
import NIOCore
import NIOHTTP1

package struct RPCService<Service: Sendable>: WireService {
  package let rows: [OperationRow<Service>]
  private let namespace: String
  private let queryCodes: [String: String]?
  private let byAction: [String: Int]
  private let service: Service
  private let door: Door

  /// - Parameters:
  ///   - namespace: of the errors' types.
  ///   - queryCodes: the codes that errors have in the query protocol, where they are others than the model's, for a
  ///     service whose clients go by these; nil = it never spoke that protocol.
  package init(
    _ service: Service, rows: [OperationRow<Service>], namespace: String, queryCodes: [String: String]? = nil,
    door: Door
  ) {
    self.service = service
    self.rows = rows
    self.namespace = namespace
    self.queryCodes = queryCodes
    self.door = door
    byAction = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.route.action, $0) })
  }

  /// True of requests of this protocol.
  package static func isMeant(by request: HTTPRequest) -> Bool {
    request.header("Smithy-Protocol")?.lowercased() == "rpc-v2-cbor"
  }

  /// Answers a request; never throws, because errors are answers too.
  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    var reply: HTTPReply
    do throws(AWSError) {
      reply = try await run(request, call)
    } catch {
      reply = self.reply(to: error)
    }
    reply.headers += [("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-RequestId", call.requestID.description)]
    return reply
  }

  /// `/service/{name}/operation/{name}`
  private func run(_ request: HTTPRequest, _ call: Call) async throws(AWSError) -> HTTPReply {
    let parts = request.path.split(separator: "/")
    guard request.method == .POST, parts.count >= 4, parts[parts.count - 4] == "service",
      parts[parts.count - 2] == "operation", let index = byAction[String(parts[parts.count - 1])]
    else { throw AWSError("UnknownOperationException", status: 404, "", type: nil).noting(String(request.path)) }
    guard !request.bodyExceedsLimit else {
      throw AWSError("RequestEntityTooLargeException", status: 413, "The request is too large.")
    }
    let members = try RPCService.members(of: request)
    var reply = try await rows[index].run(Reader(request, binary: members), call, door, service)
    reply.headers.removeAll { $0.name == "Content-Type" }
    reply.headers.append(("Content-Type", "application/cbor"))
    return reply
  }

  private static func members(of request: HTTPRequest) throws(AWSError) -> [JSONValue.Member] {
    guard request.body.readableBytes > 0 else { return [] }
    do throws(CBORFlaw) {
      guard case .object(let members) = try JSONValue(cbor: request.body) else {
        throw CBORFlaw(reason: "the body must be a map", offset: 0)
      }
      return members
    } catch {
      throw .serialization("Could not parse request body as CBOR: \(error.reason) at offset \(error.offset)")
    }
  }

  /// `{"__type":"namespace#Code","message":…}`
  private func reply(to error: AWSError) -> HTTPReply {
    var cbor = JSONWriter(isBinary: true)
    cbor.object { w in
      w.name("__type")
      w.value("\(namespace)#\(error.code)")
      for member in error.members {
        w.name(member.name)
        w.value(member.value)
      }
      for document in error.documents {
        guard let value = try? JSONValue(parsing: document.json) else { continue }
        w.name(document.name)
        w.value(value)
      }
      w.name(error.messageKey.rawValue)
      w.value(error.message)
    }
    var headers = [("Content-Type", "application/cbor")] + error.headers
    if let queryCodes {
      headers.append(
        ("x-amzn-query-error", "\(queryCodes[error.code] ?? error.code);\(error.status < 500 ? "Sender" : "Receiver")"))
    }
    return HTTPReply(status: error.status, headers: headers, body: cbor.buffer)
  }
}
