// The Extensions API of one environment: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html and
// reference/runtime-api.md 1.4
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

enum ExtensionsAPI {
  typealias Machine = ExtensionsStateMachine<HTTPExchange>

  static let prefix = "/2020-01-01/extension/"
  /// More than any registration, subscription or error needs.
  static let bodyLimit = 65_536

  /// False if the path is not one of this API's.
  static func respond(to request: HTTPRequest, _ exchange: HTTPExchange, _ environment: Environment) -> Bool {
    guard request.path.hasPrefix(prefix) else { return false }
    switch (request.method, request.path.dropFirst(prefix.count)) {
    case (.POST, "register"): register(request, exchange, environment)
    case (.GET, "event/next"):
      identified(request, exchange) { environment.extensionNext($0, exchange) }
    case (.POST, "init/error"):
      failing(request, exchange) { environment.extensionFailed($0, $1, isInit: true, exchange) }
    case (.POST, "exit/error"):
      failing(request, exchange) { environment.extensionFailed($0, $1, isInit: false, exchange) }
    default: return false
    }
    return true
  }

  private static func register(_ request: HTTPRequest, _ exchange: HTTPExchange, _ environment: Environment) {
    guard let name = request.header("Lambda-Extension-Name"), !name.isEmpty else {
      return exchange.send(refusal("Extension.InvalidExtensionName", "Empty extension name"))
    }
    guard let body = try? JSONValue(parsing: request.body), body.members != nil,
      let names = body["events"].map({ $0 == .null ? [] : $0.array }) ?? [], names.allSatisfy({ $0.string != nil })
    else {
      return exchange.send(refusal("InvalidRequestFormat", "The body of the request is not a valid JSON document"))
    }
    guard body["configurationKeys"]?.array?.isEmpty != false else {
      let advice = "configurationKeys are deprecated; use environment variables instead"
      return exchange.send(refusal("InvalidRequestFormat", advice))
    }
    var events: [Machine.Event] = []
    for name in names.compactMap(\.string) {
      guard let event = Machine.Event(rawValue: name) else {
        return exchange.send(refusal("Extension.InvalidEventType", "\(name): event type is not supported"))
      }
      if !events.contains(event) { events.append(event) }
    }
    let features = (request.header("Lambda-Extension-Accept-Feature") ?? "").split(separator: ",")
    let wantsAccount = features.contains { $0.drop { $0 == " " }.prefix { $0 != " " } == "accountId" }
    environment.extensionRegisters(name, events, wantsAccount: wantsAccount, exchange)
  }

  /// Calls `body` with the identifier that the request bears, or refuses the request.
  static func identified(_ request: HTTPRequest, _ exchange: HTTPExchange, _ body: (RequestID) -> Void) {
    guard let text = request.header("Lambda-Extension-Identifier"), !text.isEmpty else {
      let message = "Missing Lambda-Extension-Identifier header"
      return exchange.send(refusal("Extension.MissingExtensionIdentifier", message))
    }
    guard let id = RequestID(text.lowercased()) else {
      return exchange.send(refusal("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"))
    }
    body(id)
  }

  private static func failing(_ request: HTTPRequest, _ exchange: HTTPExchange, _ body: (RequestID, String) -> Void) {
    let header = "Lambda-Extension-Function-Error-Type"
    identified(request, exchange) { id in
      guard let type = request.header(header), !type.isEmpty else {
        return exchange.send(refusal("Extension.MissingHeader", "\(header) not found"))
      }
      body(id, type)
    }
  }

  // MARK: - What an extension is told

  static func registered(_ c: FunctionConfiguration, id: RequestID, wantsAccount: Bool) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("functionName")
      w.value(c.name)
      w.name("functionVersion")
      w.value(c.version.description)
      w.name("handler")
      w.value(c.handler ?? "")
      if wantsAccount {
        w.name("accountId")
        w.value(c.place.account.id)
      }
    }
    return HTTPReply(
      status: 200, headers: [("Content-Type", "application/json"), ("Lambda-Extension-Identifier", id.description)],
      body: json.buffer)
  }

  /// - Parameter deadline: milliseconds since 1970.
  static func invoke(_ work: Work, deadline: Int64, event: RequestID) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("eventType")
      w.value(Machine.Event.invoke.rawValue)
      w.name("deadlineMs")
      w.value(Int(deadline))
      w.name("requestId")
      w.value(work.invocation.requestID.description)
      w.name("invokedFunctionArn")
      w.value(work.invocation.function.arn)
      w.name("tracing")
      w.object { tracing in
        tracing.name("type")
        tracing.value("X-Amzn-Trace-Id")
        tracing.name("value")
        tracing.value(work.traceHeader)
      }
    }
    return HTTPReply(
      status: 200,
      headers: [("Content-Type", "application/json"), ("Lambda-Extension-Event-Identifier", event.description)],
      body: json.buffer)
  }

  static func shutdown(_ reason: ShutdownReason, deadline: Int64) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("eventType")
      w.value(Machine.Event.shutdown.rawValue)
      w.name("deadlineMs")
      w.value(Int(deadline))
      w.name("shutdownReason")
      w.value(reason.rawValue)
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }

  static func refused(_ refusal: Machine.Refusal, id: RequestID? = nil) -> HTTPReply {
    switch refusal {
    case .closed: self.refusal("Extension.RegistrationClosed", "Extension registration closed already")
    case .nameTaken: self.refusal("Extension.InvalidExtensionState", "Extension with this name already registered")
    case .tooMany: self.refusal("Extension.TooManyExtensions", "Extension limit (\(Machine.limit)) reached")
    case .wrongEvent(let event):
      self.refusal(
        "Extension.InvalidEventType", "\(event.rawValue): event type is not supported for internal extensions")
    case .wrongState(let from, let to, let name):
      self.refusal(
        "Extension.InvalidExtensionState",
        "State transition from \(from.rawValue) to \(to.rawValue) failed for extension \(name). "
          + "Error: State transition is not allowed")
    case .unknown: self.refusal("Extension.UnknownExtensionIdentifier", "Unknown extension \(id?.description ?? "")")
    }
  }

  /// Where invocations share an environment there is no event that could be told of one.
  static let noInvocations = refusal(
    "Extension.InvalidEventType", "INVOKE: event type is not supported for functions on Lambda Managed Instances")

  private static func refusal(_ type: String, _ message: String) -> HTTPReply {
    RuntimeAPI.error(403, type, message)
  }
}

/// Why an environment is shut down, in the words of the SHUTDOWN event.
enum ShutdownReason: String {
  case spindown
  case timeout
  case failure
}
