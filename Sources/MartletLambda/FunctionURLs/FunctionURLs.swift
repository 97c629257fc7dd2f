// Function URLs: HTTP requests from anybody become invocations, and what functions say becomes HTTP answers.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and reference/invoke.md 2.6
import Logging
import MartletCore
import MartletWire
import NIOCore
import Synchronization

package final class FunctionURLs: Sendable {
  /// What an address stands for.
  private struct Target: Sendable {
    let function: FunctionReference
    let url: FunctionURL
  }

  private let line: Line
  private let world: any World
  private let limits: LambdaLimits
  private let log: Logger
  private let targets: Targets
  private let metrics: LambdaMetrics?

  package init(
    functions: FunctionTable, line: Line, world: any World, limits: LambdaLimits, log: Logger,
    metrics: LambdaMetrics? = nil
  ) {
    self.metrics = metrics
    self.line = line
    self.world = world
    self.limits = limits
    self.log = log
    let targets = Targets()
    self.targets = targets
    functions.observe { before, after in targets.change(before, after) }
    for record in functions.all { targets.change(nil, record) }
  }

  /// Answers a request; never throws, because errors are answers too.
  /// - Parameter source: the caller's address.
  package func answer(
    _ request: HTTPRequest, at address: FunctionURLAddress, source: String, _ call: Call
  ) async -> HTTPReply {
    guard let target = targets.find(address.id) else { return finished(.forbidden, call) }
    if let reply = target.url.cors?.preflight(request) { return finished(reply, call) }
    let caller = target.url.authType == "NONE" ? nil : call.signer
    guard target.url.authType == "NONE" || caller != nil else { return finished(.forbidden, call) }
    // Whether it is traced is decided by the line.
    var traceHeader = TraceHeader.begun(from: call.traceHeader, world: world)
    var reply: HTTPReply
    let began = world.monotonic()
    do throws(AWSError) {
      reply = try await invoke(
        request, address, target, caller: caller, source: source, &traceHeader, call)
    } catch {
      if error.status >= 500 {
        log.log(
          level: error.status == 501 ? .notice : .error, "function URL failed",
          metadata: ["request": "\(call.requestID)", "code": "\(error.code)", "note": "\(error.note ?? error.message)"])
      }
      // A URL outlives its alias, and is as good as none then.
      reply = error.status == 404 ? .forbidden : RESTService<Void>.reply(to: error)
    }
    count(reply, target, since: began)
    if let cors = target.url.cors { reply.headers += cors.headers(origin: request.header("Origin")) }
    reply.headers.append(("X-Amzn-Trace-Id", traceHeader))
    return finished(reply, call)
  }

  /// - Parameter began: on the clock that never jumps.
  private func count(_ reply: HTTPReply, _ target: Target, since began: UInt64) {
    guard let metrics else { return }
    metrics.note(.urlRequestCount, of: target.function)
    metrics.note(.urlRequestLatency, of: target.function, Double((world.monotonic() &- began) / 1_000_000))
    if reply.status >= 500 {
      metrics.note(.url5xxCount, of: target.function)
    } else if reply.status >= 400 {
      metrics.note(.url4xxCount, of: target.function)
    }
  }

  private func invoke(
    _ request: HTTPRequest, _ address: FunctionURLAddress, _ target: Target, caller: Identity?,
    source: String,
    _ traceHeader: inout String, _ call: Call
  ) async throws(AWSError) -> HTTPReply {
    let (domain, port) = domain(of: target, address, call)
    let event = FunctionURLEvent(
      request: request, id: target.url.id, path: address.path, domain: domain, source: source, port: port,
      caller: caller, accessKey: FunctionURLs.accessKey(of: request), requestID: call.requestID,
      traceHeader: traceHeader, now: world.now())
    guard !request.bodyExceedsLimit else { throw .payloadTooLarge(limit: limits.invokeRequest) }
    let payload = event.json
    guard payload.readableBytes <= limits.invokeRequest.bytes else {
      throw .payloadTooLarge(limit: limits.invokeRequest)
    }
    let streams = target.url.invokeMode == "RESPONSE_STREAM"
    let reply = try await line.invoke(
      Invocation(
        function: target.function, payload: payload, requestID: call.requestID, traceHeader: traceHeader,
        acceptsStream: streams))
    traceHeader = reply.traceHeader
    if reply.functionError != nil { return FunctionURLs.failed(reply.payload) }
    if let stream = reply.stream { return await streamed(stream, reply.contentType) }
    if let contentType = reply.contentType {
      return FunctionURLAnswer.collected(reply.payload, contentType: contentType) ?? .badGateway
    }
    if streams {
      // Nothing is inferred from what a function that does not stream says to a URL that does.
      return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: reply.payload)
    }
    return FunctionURLAnswer.infer(reply.payload) ?? .badGateway
  }

  /// A response that is under way. With a prelude the answer begins when that is complete.
  private func streamed(_ stream: PayloadStream, _ contentType: String?) async -> HTTPReply {
    var reply: HTTPReply
    if contentType == FunctionURLAnswer.integrationType {
      guard let head = await FunctionURLs.head(of: stream) else {
        stream.cancel()
        return .badGateway
      }
      reply = head
    } else {
      reply = HTTPReply(status: 200, headers: [("Content-Type", contentType ?? "application/octet-stream")])
    }
    reply.stream = PayloadByteSource(stream)
    return reply
  }

  /// Reads the prelude; what follows it stays in the stream. nil if it is malformed or does not end.
  private static func head(of stream: PayloadStream) async -> HTTPReply? {
    var bytes = ByteBuffer()
    while bytes.readableBytes <= FunctionURLAnswer.longestPrelude {
      guard case .bytes(let part) = await stream.next() else { return nil }
      bytes.writeImmutableBuffer(part)
      if let (prelude, body) = FunctionURLAnswer.split(bytes) {
        stream.putBack(body)
        return FunctionURLAnswer.head(prelude: prelude)
      }
    }
    return nil
  }

  /// A function that failed: its error is nobody's business but its owner's.
  private static func failed(_ payload: ByteBuffer) -> HTTPReply {
    let type = (try? JSONValue(parsing: payload))?["errorType"]?.string
    return type == "Sandbox.Timedout" ? .gatewayTimeout : .badGateway
  }

  /// The name and the port by which the caller came, or would have come without a path.
  private func domain(of target: Target, _ address: FunctionURLAddress, _ call: Call) -> (String, String) {
    let url = HTTPAddress(target.url.url(target.function.key.place.region, host: call.host))
    let canonical = url?.host ?? target.url.id
    return (address.domain ?? canonical, String(url?.port ?? 80))
  }

  private static func accessKey(of request: HTTPRequest) -> String? {
    if let header = request.header("Authorization") { return Credential(authorization: header)?.accessKey }
    let scope = request.queryParameters.first { $0.name == "X-Amz-Credential" }?.value
    return scope.flatMap { Credential(scope: $0) }?.accessKey
  }

  /// What every answer has.
  private func finished(_ reply: HTTPReply, _ call: Call) -> HTTPReply {
    var reply = reply
    reply.headers.append(("x-amzn-RequestId", call.requestID.description))
    reply.headers.append(("Date", world.now().httpDate))
    return reply
  }

  /// The functions behind the addresses, kept up to date change by change.
  private final class Targets: Sendable {
    private let byID = Mutex<[String: Target]>([:])

    func find(_ id: String) -> Target? { byID.withLock { $0[id] } }

    func change(_ before: FunctionRecord?, _ after: FunctionRecord?) {
      guard before?.urls.isEmpty == false || after?.urls.isEmpty == false else { return }
      byID.withLock { byID in
        for url in before?.urls.values ?? [:].values { byID[url.id] = nil }
        guard let after else { return }
        for (qualifier, url) in after.urls {
          let reference = FunctionReference(key: after.key, qualifier: qualifier.isEmpty ? nil : qualifier)
          byID[url.id] = Target(function: reference, url: url)
        }
      }
    }
  }
}

/// Fetches the bytes of a response that is under way.
final class PayloadByteSource: HTTPBodySource {
  private let stream: PayloadStream

  init(_ stream: PayloadStream) { self.stream = stream }

  func pump(_ out: HTTPOutflow) {
    while out.wantsMore {
      switch stream.take() {
      case .bytes(let part): out.write(part)
      case .end(let ending): return ending.failure == nil ? out.end() : out.breakOff()
      case .nothing: return stream.wait { out.wake() }
      }
    }
  }

  func cancel() { stream.cancel() }
}

extension HTTPReply {
  /// Nobody learns whether the address exists.
  fileprivate static var forbidden: HTTPReply {
    HTTPReply(
      status: 403, headers: [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")],
      body: ByteBuffer(
        string: #"{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: "#
          + #"https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}"#))
  }

  fileprivate static var badGateway: HTTPReply {
    HTTPReply(
      status: 502, headers: [("Content-Type", "application/json")], body: ByteBuffer(string: "Internal Server Error"))
  }

  fileprivate static var gatewayTimeout: HTTPReply {
    HTTPReply(
      status: 504, headers: [("Content-Type", "application/json")], body: ByteBuffer(string: "Internal Server Error"))
  }
}

extension Call {
  /// Who signed the request; nil if nobody did.
  fileprivate var signer: Identity? { caller == .anonymous ? nil : identity }
}
