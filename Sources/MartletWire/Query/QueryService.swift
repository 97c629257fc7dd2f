// A service that speaks the query protocol: its table by the name of the action, and its answers in XML.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
import Logging
import MartletCore
import NIOCore

package struct QueryService<Service: Sendable>: WireService {
  package let rows: [OperationRow<Service>]
  /// The `Version` of the API, which is also the date in the namespace of its answers.
  private let version: String
  private let namespace: String
  private let names: QueryNames?
  private let codes: [String: String]
  private let byAction: [String: Int]
  private let service: Service
  private let door: Door

  /// - Parameters:
  ///   - namespace: of the answers' XML.
  ///   - names: of lists and maps, where the service flattens them.
  ///   - codes: errors that have other codes in this protocol than in the model.
  package init(
    _ service: Service, rows: [OperationRow<Service>], version: String, namespace: String, names: QueryNames? = nil,
    codes: [String: String] = [:], door: Door
  ) {
    self.names = names
    self.codes = codes
    self.service = service
    self.rows = rows
    self.version = version
    self.namespace = namespace
    self.door = door
    byAction = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.route.action, $0) })
  }

  /// Answers a request; never throws, because errors are answers too.
  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    var reply: HTTPReply
    do throws(AWSError) {
      reply = try await run(request, call)
    } catch {
      reply = QueryError.reply(to: error, namespace: namespace, codes: codes, call)
    }
    reply.headers.append(("x-amzn-RequestId", call.requestID.description))
    return reply
  }

  private func run(_ request: HTTPRequest, _ call: Call) async throws(AWSError) -> HTTPReply {
    guard !request.bodyExceedsLimit else { throw .queryTooLarge() }
    guard let members = QueryDocument.members(of: request) else { throw .queryTooDeep() }
    guard let action = members.last(where: { $0.name == "Action" })?.value.string, !action.isEmpty else {
      throw .actionMissing()
    }
    let asked = members.last { $0.name == "Version" }?.value.string ?? version
    guard asked == version, let index = byAction[action] else { throw .actionUnknown(action, version: asked) }
    let names = names?.of(action)
    let reader = Reader(request, form: names?.read(members) ?? members, names: names)
    let result = try await rows[index].run(reader, call, door, service)

    var xml = XMLWriter()
    xml.element("\(action)Response", "xmlns=\"\(namespace)\"") { xml in
      xml.append(result.body)
      xml.element("ResponseMetadata") { $0.element("RequestId", call.requestID.description) }
    }
    return HTTPReply(status: result.status, headers: [("Content-Type", "text/xml")], body: xml.buffer)
  }
}

/// Errors as the query protocol shows them.
package enum QueryError {
  /// `<ErrorResponse><Error><Type>Sender</Type><Code>…</Code><Message>…</Message></Error><RequestId>…`
  package static func reply(
    to error: AWSError, namespace: String, codes: [String: String] = [:], _ call: Call
  ) -> HTTPReply {
    var xml = XMLWriter()
    xml.element("ErrorResponse", "xmlns=\"\(namespace)\"") { xml in
      xml.element("Error") { xml in
        xml.element("Type", error.status < 500 ? "Sender" : "Receiver")
        xml.element("Code", codes[error.code] ?? code(error))
        xml.element("Message", error.message)
        for member in error.members { xml.element(member.name, member.value) }
      }
      xml.element("RequestId", call.requestID.description)
    }
    return HTTPReply(status: error.status, headers: [("Content-Type", "text/xml")] + error.headers, body: xml.buffer)
  }

  /// What every service can answer has other names in this protocol than in REST-JSON.
  private static func code(_ error: AWSError) -> String {
    switch error.code {
    case "ValidationException": "ValidationError"
    case "SerializationException": "MalformedInput"
    case "NotImplementedException": "NotImplemented"
    case "ServiceException": "ServiceFailure"
    default: error.code
    }
  }
}

extension AWSError {
  static func actionMissing() -> AWSError {
    AWSError("MissingAction", status: 400, "The request must contain the parameter Action.")
  }

  static func actionUnknown(_ action: String, version: String) -> AWSError {
    AWSError("InvalidAction", status: 400, "Could not find operation \(action) for version \(version)")
  }

  static func queryTooLarge() -> AWSError {
    AWSError("RequestEntityTooLarge", status: 413, "The request is too large.")
  }

  static func queryTooDeep() -> AWSError {
    AWSError("MalformedQueryString", status: 400, "A parameter of the request is nested too deeply.")
  }
}
