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

  private static let prefix = "/2018-06-01/runtime/"

  /// Bodies that answer nothing are not kept. By bytes, like all that every invocation passes through: comparing
  /// characters costs several times as much.
  func bodyLimit(for head: HTTPRequestHead) -> Int {
    let path = head.uri.utf8
    if head.method == .PUT || path.starts(with: ExtensionsAPI.prefix.utf8) { return ExtensionsAPI.bodyLimit }
    guard head.method == .POST, path.starts(with: RuntimeAPI.prefix.utf8) else { return RuntimeAPI.smallBody }
    let parts = path.dropFirst(RuntimeAPI.prefix.utf8.count)
      .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) }
    if parts.count == 2, parts[0] == "init" || parts[0] == "restore" { return responseLimit }
    guard parts.count == 3, parts[0] == "invocation", environment?.isCurrent(parts[1]) == true else {
      return RuntimeAPI.smallBody
    }
    return responseLimit
  }

  private static let smallBody = 4096

  /// A response in streaming mode is passed on as it comes, if the caller wants it so.
  func receiver(for head: HTTPRequestHead, _ flow: () -> HTTPInflow) -> (any HTTPBodyReceiver)? {
    guard head.method == .POST, let environment, environment.passesOn, head.uri.hasPrefix(RuntimeAPI.prefix),
      head.headers.first(name: RuntimeAPI.mode) == RuntimeAPI.streaming
    else { return nil }
    let parts = head.uri.dropFirst(RuntimeAPI.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "invocation", parts[2] == "response" else { return nil }
    return environment.beginsStream(parts[1], contentType: head.headers.first(name: "Content-Type"), flow())
  }

  private static let mode = "Lambda-Runtime-Function-Response-Mode"
  private static let streaming = "streaming"

  func abandoned(_ exchange: HTTPExchange) { environment?.abandoned(exchange) }

  /// A response that ends before its end is an answer too, and not a good one.
  func cutOff(_ head: HTTPRequestHead) {
    guard head.uri.hasPrefix(RuntimeAPI.prefix), head.method == .POST else { return }
    let parts = head.uri.dropFirst(RuntimeAPI.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 3, parts[0] == "invocation" { environment?.cutOff(parts[1]) }
  }

  func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    guard let environment else {
      exchange.send(RuntimeAPI.wrongState(from: "Exited", to: "Ready"))
      return
    }
    guard request.path.utf8.starts(with: RuntimeAPI.prefix.utf8) else {
      if request.path == Environment.credentialsPath, request.method == .GET {
        return environment.sendCredentials(request.header("Authorization"), exchange)
      }
      if request.path == Environment.stemOrderPath, request.method == .GET { return environment.stemCellAsks(exchange) }
      if !ExtensionsAPI.respond(to: request, exchange, environment),
        !TelemetryAPI.respond(to: request, exchange, environment)
      {
        exchange.send(request.path == "/2018-06-01/ping" ? RuntimeAPI.pong : RuntimeAPI.unknown)
      }
      return
    }
    let call = Substring(request.path.utf8.dropFirst(RuntimeAPI.prefix.utf8.count))
    if call == "invocation/next", request.method == .GET {
      environment.next(exchange)
    } else if call == "init/error", request.method == .POST {
      environment.initFailed(RuntimeAPI.errorType(request), request.body, exchange)
    } else if call == "restore/next", request.method == .GET {
      environment.restoreNext(
        exchange, canBeForked: request.header("Martlet-Snapshot") == "yes",
        obstacle: request.header("Martlet-No-Snapshot"))
    } else if call == "restore/error", request.method == .POST {
      environment.restoreFailed(RuntimeAPI.errorType(request), request.body, exchange)
    } else if request.method == .POST, call.utf8.starts(with: "invocation/".utf8) {
      let rest = Substring(call.utf8.dropFirst("invocation/".utf8.count))
      let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
      let body = request.bodyExceedsLimit ? Body.tooLarge : .whole(request.body)
      switch rest[slash...] {
      case "/response":
        if let mode = request.header(RuntimeAPI.mode) {
          collected(request, body, rest[..<slash], isStreaming: mode == RuntimeAPI.streaming, environment, exchange)
        } else {
          environment.answered(
            rest[..<slash], body, isError: false, delivery: delivery(request, environment), exchange)
        }
      case "/error":
        environment.answered(
          rest[..<slash], body, isError: true, errorType: RuntimeAPI.errorType(request),
          cause: request.header("Lambda-Runtime-Function-XRay-Error-Cause"),
          delivery: delivery(request, environment), exchange)
      default: exchange.send(RuntimeAPI.unknown)
      }
    } else {
      exchange.send(RuntimeAPI.unknown)
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
    var head = ByteBuffer()
    head.reserveCapacity(768 + (event(work).readableBytes <= HTTPExchange.inlineBody ? event(work).readableBytes : 0))
    head.writeStaticString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: ")
    head.writeString(work.invocation.requestID.description)
    head.writeStaticString("\r\nLambda-Runtime-Deadline-Ms: ")
    head.writeString(String(deadline))
    head.writeStaticString("\r\nLambda-Runtime-Invoked-Function-Arn: ")
    head.writeString(work.invocation.function.arn)
    head.writeStaticString("\r\nLambda-Runtime-Trace-Id: ")
    head.writeString(work.traceHeader)
    if let context = work.invocation.clientContext {
      head.writeStaticString("\r\nLambda-Runtime-Client-Context: ")
      head.writeString(context)
    }
    if let tenant = work.invocation.tenant {
      head.writeStaticString("\r\nLambda-Runtime-Aws-Tenant-Id: ")
      head.writeString(tenant)
    }
    if let delivery = work.delivery {
      head.writeStaticString("\r\nLambda-Runtime-Invocation-Id: ")
      head.writeString(delivery.description)
    }
    head.writeStaticString("\r\nContent-Length: ")
    head.writeString(String(event(work).readableBytes))
    head.writeStaticString("\r\n\r\n")
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
