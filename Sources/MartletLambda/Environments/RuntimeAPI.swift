// The Runtime API of one environment: what its runtime says over HTTP, and what it is told.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and reference/runtime-api.md 1.2
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

/// Answers the listener of one environment. Which socket a call came in on is its identity.
final class RuntimeAPI: HTTPResponder {
  private weak let environment: Environment?
  private let responseLimit: Int

  init(_ environment: Environment) {
    self.environment = environment
    responseLimit = environment.parts.limits.invokeResponse.bytes
  }

  /// The body of an answer.
  enum Body {
    /// Whole; with its type if the function named one.
    case whole(ByteBuffer, contentType: String? = nil)
    case tooLarge
    /// `Lambda-Runtime-Function-Response-Mode` is neither absent nor `streaming`.
    case unknownMode
  }

  /// What the processes of one environment may make this server hold: a runtime and ten extensions need much less.
  /// More where invocations share it: two connections and a response for each.
  static func connectionLimits(_ concurrency: Int?) -> HTTPServer.Limits {
    HTTPServer.Limits(
      connections: 64 + 2 * (concurrency ?? 0), bodies: .mebibytes(16 + 7 * min(32, concurrency ?? 0)))
  }

  /// Bodies that answer nothing are not kept.
  func bodyLimit(for head: HTTPRequestHead) -> Int {
    if head.method == .PUT || head.uri.begins(with: "/2020-01-01/extension/") { return ExtensionsAPI.bodyLimit }
    guard head.method == .POST else { return RuntimeAPI.smallBody }
    switch RuntimeCall(uri: head.uri) {
    case .initError, .restoreError: return responseLimit
    case .response(let id), .error(let id):
      return environment?.isCurrent(id) == true ? responseLimit : RuntimeAPI.smallBody
    case .next, .restoreNext, .unknown, .other: return RuntimeAPI.smallBody
    }
  }

  private static let smallBody = 4096

  /// A response in streaming mode is passed on as it comes, if the caller wants it so.
  func receiver(for head: HTTPRequestHead, _ flow: () -> HTTPInflow) -> (any HTTPBodyReceiver)? {
    guard head.method == .POST, let environment, environment.passesOn,
      head.headers.first(name: RuntimeAPI.mode) == RuntimeAPI.streaming,
      case .response(let id) = RuntimeCall(uri: head.uri)
    else { return nil }
    return environment.beginsStream(id, contentType: head.headers.first(name: "Content-Type"), flow())
  }

  private static let mode = "Lambda-Runtime-Function-Response-Mode"
  private static let streaming = "streaming"

  func abandoned(_ exchange: HTTPExchange) { environment?.abandoned(exchange) }

  /// A response that ends before its end is an answer too, and not a good one.
  func cutOff(_ head: HTTPRequestHead) {
    guard head.method == .POST else { return }
    switch RuntimeCall(uri: head.uri) {
    case .response(let id), .error(let id): environment?.cutOff(id)
    case .next, .initError, .restoreNext, .restoreError, .unknown, .other: break
    }
  }

  func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    guard let environment else {
      exchange.send(RuntimeAPI.wrongState(from: "Exited", to: "Ready"))
      return
    }
    let call = RuntimeCall(request.path)
    switch (call, request.method) {
    case (.next, .GET): environment.next(exchange)
    case (.response(let id), .POST): responded(id, request, environment, exchange)
    case (.error(let id), .POST):
      environment.answered(
        id, RuntimeAPI.body(of: request), isError: true, errorType: RuntimeAPI.errorType(request),
        cause: request.header("Lambda-Runtime-Function-XRay-Error-Cause"),
        delivery: delivery(request, environment), exchange)
    case (.initError, .POST): environment.initFailed(RuntimeAPI.errorType(request), request.body, exchange)
    case (.restoreNext, .GET):
      environment.restoreNext(
        exchange, canBeForked: request.header("Martlet-Snapshot") == "yes",
        obstacle: request.header("Martlet-No-Snapshot"))
    case (.restoreError, .POST):
      environment.restoreFailed(RuntimeAPI.errorType(request), request.body, exchange)
    case (.other, _): respondElsewhere(to: request, exchange, environment)
    case (.next, _), (.response, _), (.error, _), (.initError, _), (.restoreNext, _), (.restoreError, _), (.unknown, _):
      exchange.send(RuntimeAPI.unknown)
    }
  }

  /// What is no call of the Runtime API.
  private func respondElsewhere(to request: HTTPRequest, _ exchange: HTTPExchange, _ environment: Environment) {
    if request.path == Environment.credentialsPath, request.method == .GET {
      return environment.sendCredentials(request.header("Authorization"), exchange)
    }
    if request.path == Environment.stemOrderPath, request.method == .GET { return environment.stemCellAsks(exchange) }
    if !ExtensionsAPI.respond(to: request, exchange, environment),
      !TelemetryAPI.respond(to: request, exchange, environment)
    {
      exchange.send(request.path == "/2018-06-01/ping" ? RuntimeAPI.pong : RuntimeAPI.unknown)
    }
  }

  private static func body(of request: HTTPRequest) -> Body {
    request.bodyExceedsLimit ? .tooLarge : .whole(request.body)
  }

  private func responded(
    _ id: Substring, _ request: HTTPRequest, _ environment: Environment, _ exchange: HTTPExchange
  ) {
    let body = RuntimeAPI.body(of: request)
    if let mode = request.header(RuntimeAPI.mode) {
      collected(request, body, id, isStreaming: mode == RuntimeAPI.streaming, environment, exchange)
    } else {
      environment.answered(id, body, isError: false, delivery: delivery(request, environment), exchange)
    }
  }

  /// Which delivery of an event the answer belongs to, where several are under way.
  private func delivery(_ request: HTTPRequest, _ environment: Environment) -> String? {
    environment.concurrency == nil ? nil : request.header("Lambda-Runtime-Invocation-Id")
  }

  /// A response with a mode that is not passed on as it comes, because its caller wants it whole.
  private func collected(
    _ request: HTTPRequest, _ body: Body, _ id: Substring, isStreaming: Bool, _ environment: Environment,
    _ exchange: HTTPExchange
  ) {
    guard isStreaming else { return environment.answered(id, .unknownMode, isError: false, exchange) }
    guard case .whole(let payload, _) = body else { return environment.answered(id, body, isError: false, exchange) }
    if let failure = request.trailers.flatMap({ StreamedResponse.failure(in: $0) }) {
      environment.answered(id, .whole(failure.document), isError: true, exchange)
    } else {
      let contentType = request.header("Content-Type")
      environment.answered(id, .whole(payload, contentType: contentType), isError: false, exchange)
    }
  }

  /// `Category.Reason` as the runtime gave it; anything else is unknown (reference/runtime-api.md 1.2).
  private static func errorType(_ request: HTTPRequest) -> String {
    let type = request.header("Lambda-Runtime-Function-Error-Type") ?? ""
    let parts = type.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "Runtime" || parts[0] == "Function" else { return "Runtime.Unknown" }
    let isReason =
      parts[1].first?.isUppercase == true && parts[1].utf8.count > 1
      && parts[1].allSatisfy { $0.isASCII && $0.isLetter }
    return isReason ? type : "\(parts[0]).Unknown"
  }

  // MARK: - What the runtime is told

  /// The head of an answered `/next`, up to the body.
  static func eventHead(_ work: Work, _ configuration: FunctionConfiguration, deadline: Int64) -> ByteBuffer {
    let event = event(work).readableBytes
    let (invocation, arn) = (work.invocation, work.invocation.function.arn)
    // What every head has is shorter than this; a small event will be written behind it.
    var size = 512 + arn.utf8.count + work.traceHeader.utf8.count
    size += (invocation.clientContext?.utf8.count ?? 0) + (invocation.tenant?.utf8.count ?? 0)
    var head = ByteBuffer()
    head.reserveCapacity(size + (event <= HTTPExchange.inlineBody ? event : 0))
    head.write(capacity: size) { text in
      text.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: ")
      text.write(invocation.requestID)
      text.write("\r\nLambda-Runtime-Deadline-Ms: ")
      text.write(Int(deadline))
      text.write("\r\nLambda-Runtime-Invoked-Function-Arn: ")
      text.write(text: arn)
      text.write("\r\nLambda-Runtime-Trace-Id: ")
      text.write(text: work.traceHeader)
      if let context = invocation.clientContext {
        text.write("\r\nLambda-Runtime-Client-Context: ")
        text.write(text: context)
      }
      if let tenant = invocation.tenant {
        text.write("\r\nLambda-Runtime-Aws-Tenant-Id: ")
        text.write(text: tenant)
      }
      if let delivery = work.delivery {
        text.write("\r\nLambda-Runtime-Invocation-Id: ")
        text.write(delivery)
      }
      text.write("\r\nContent-Length: ")
      text.write(event)
      text.write("\r\n\r\n")
    }
    return head
  }

  /// The event; an invocation without payload has an empty object.
  static func event(_ work: Work) -> ByteBuffer {
    work.invocation.payload.readableBytes > 0 ? work.invocation.payload : emptyEvent
  }

  private static let emptyEvent = ByteBuffer(string: "{}")

  /// `202 {"status":"OK"}`
  static let accepted = ByteBuffer(
    string: "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n"
  )

  private static let pong = HTTPReply(status: 200, body: ByteBuffer(string: "pong"))

  static let unknown = HTTPReply(
    status: 404, headers: [("Content-Type", "text/plain; charset=utf-8")],
    body: ByteBuffer(string: "404 page not found\n"))

  static let unknownMode = error(400, "InvalidFunctionResponseMode", "Invalid function response mode")

  static let wrongIdentifier = error(400, "InvalidRequestID", "Invalid request ID")

  static func wrongState(from: String, to: String) -> HTTPReply {
    error(
      403, "InvalidStateTransition",
      "State transition from \(from) to \(to) failed for runtime. Error: State transition is not allowed")
  }

  static func tooLarge(limit: Int) -> HTTPReply {
    error(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (\(limit) bytes).")
  }

  static func error(_ status: Int, _ type: String, _ message: String) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("errorMessage")
      w.value(message)
      w.name("errorType")
      w.value(type)
    }
    return HTTPReply(status: status, headers: [("Content-Type", "application/json")], body: json.buffer)
  }
}
