// The HTTP front: tells which service a request is for, gives it an id and a place, and brings back the answer.
import Logging
import MartletCloud
import MartletCore
import MartletLambda
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization

package final class Front: HTTPResponder {
  private let world: any World
  private let defaults: Place
  private let limits: LambdaLimits
  /// By signing name.
  private let services = Mutex<[String: any WireService]>([:])
  /// What the operator sees, by path, beside what is here.
  private let pages = Mutex<[String: Page]>([:])
  /// Knows whom access keys stand for.
  private let iam = Mutex<IAMService?>(nil)
  /// Martlet's own operations.
  private let operators = Mutex<RESTService<LambdaService>?>(nil)
  private let urls = Mutex<FunctionURLs?>(nil)
  private let packages: CodePackages
  private let executors = Mutex<[ObjectIdentifier: EventLoopExecutor]>([:])
  private let log: Logger
  /// Where bodies that are too large for memory lie while they come in; nil = nowhere.
  private let incoming: String?

  package init(
    world: any World, defaults: Place, limits: LambdaLimits, packages: CodePackages, incoming: String? = nil,
    log: Logger
  ) {
    self.incoming = incoming
    self.world = world
    self.defaults = defaults
    self.limits = limits
    self.packages = packages
    self.log = log
  }

  package typealias Page = @Sendable (HTTPRequest) async -> HTTPReply

  /// Pages below `/_martlet/`, for the operator.
  package func serve(pages: [String: Page]) { self.pages.withLock { $0 = pages } }

  /// The services are made after the front, because environments lead back to it.
  package func serve(
    _ services: [String: any WireService], iam: IAMService?, urls: FunctionURLs? = nil,
    operators: RESTService<LambdaService>? = nil
  ) {
    self.urls.withLock { $0 = urls }
    self.iam.withLock { $0 = iam }
    self.operators.withLock { $0 = operators }
    self.services.withLock { $0 = services }
  }

  package func bodyLimit(for head: HTTPRequestHead) -> Int {
    let isInvocation = head.method == .POST && Front.namesInvocations(head.uri)
    if isInvocation || isFunctionURL(head) { return limits.invokeRequest.bytes }
    return Front.length(of: head) > limits.requestSize.bytes && isObject(head)
      ? Front.largestObject : limits.requestSize.bytes
  }

  /// True of `/2015-03-31/functions/f/invocations` and its like. Asked of every request, so by bytes: they cost a
  /// fraction of what characters do.
  private static func namesInvocations(_ uri: String) -> Bool {
    uri.withBytes { uri in
      var end = uri.firstIndex(of: UInt8(ascii: "?")) ?? uri.count
      while end > 0, uri[end - 1] == UInt8(ascii: "/") { end -= 1 }
      let start = end - Front.invocations.utf8CodeUnitCount
      return start >= 0 && UnsafeBufferPointer(rebasing: uri[start..<end]).begins(with: Front.invocations)
    }
  }

  private static let invocations: StaticString = "invocations"

  /// Larger objects go into a file while they come in.
  private static let inMemory = 1 << 20
  /// With what the encoding in chunks adds to S3's five gibibytes.
  private static let largestObject = S3Service.largestUpload.bytes / 100 * 102

  package func draft(for head: HTTPRequestHead) -> DraftFile? {
    guard let incoming, Front.length(of: head) > Front.inMemory, isObject(head) else { return nil }
    do throws(Fault) {
      // A form is taken apart when it is whole.
      return try DraftFile(in: incoming, filter: head.method == .PUT ? S3Intake(head.headers) : nil)
    } catch {
      log.error("no file for a body", metadata: ["fault": "\(error)"])
      return nil
    }
  }

  /// Of the body, in bytes; the greatest number if it is not said.
  private static func length(of head: HTTPRequestHead) -> Int {
    if let text = head.headers.first(name: "Content-Length") { return Int(text) ?? 0 }
    return head.headers.contains(name: "Transfer-Encoding") ? .max : 0
  }

  /// True of a request that brings bytes for S3, by itself or in a form.
  private func isObject(_ head: HTTPRequestHead) -> Bool {
    guard head.method == .PUT || (head.method == .POST && S3WireService.isForm(head.headers)), !isFunctionURL(head),
      services.withLock({ $0["s3"] != nil })
    else { return false }
    let request = HTTPRequest(method: head.method, uri: head.uri, headers: head.headers, body: ByteBuffer())
    return ServiceName.of(request, Principals.credential(of: request)) == "s3"
  }

  private func isFunctionURL(_ head: HTTPRequestHead) -> Bool {
    FunctionURLAddress.isMeant(byHost: head.headers.first(name: "Host") ?? "", uri: head.uri)
  }

  package func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    respond(to: request, exchange, isOperator: true)
  }

  /// - Parameter isOperator: false for functions, which have no business with Martlet's own pages.
  func respond(to request: HTTPRequest, _ exchange: HTTPExchange, isOperator: Bool) {
    var call = Principals.call(for: request, defaults: defaults, world: world, iam: iam.withLock { $0 })
    if let address = exchange.peerAddress { call.sourceAddress = address }
    if let address = FunctionURLAddress(host: call.host, path: request.path), let urls = urls.withLock({ $0 }) {
      let source = exchange.peerAddress ?? ""
      Task.immediate(executorPreference: executor(of: exchange.eventLoop)) {
        exchange.send(await urls.answer(request, at: address, source: source, call))
      }
      return
    }
    if request.path.begins(with: "/_martlet/") {
      if isOperator, let operators = operators.withLock({ $0 }), operators.row(for: request) != nil {
        Task.immediate(executorPreference: executor(of: exchange.eventLoop)) {
          exchange.send(await operators.answer(request, call))
        }
      } else if isOperator, let page = pages.withLock({ $0[String(request.path)] }) {
        Task.immediate(executorPreference: executor(of: exchange.eventLoop)) { exchange.send(await page(request)) }
      } else {
        exchange.send(operatorsReply(to: request))
      }
      return
    }
    let name = ServiceName.of(request, Principals.credential(of: request))
    guard let service = services.withLock({ $0[name] }) else {
      log.notice("no such service", metadata: ["service": "\(name)", "request": "\(call.requestID)"])
      exchange.send(AbsentService.reply(name, to: request, call))
      return
    }
    // The task begins here, on this event loop, and comes back to it after every wait.
    Task.immediate(executorPreference: executor(of: exchange.eventLoop)) {
      let reply = await service.answer(request, call)
      self.log.debug(
        "request",
        metadata: [
          "method": "\(request.method)", "path": "\(request.path)", "status": "\(reply.status)",
          "request": "\(call.requestID)",
        ])
      exchange.send(reply)
    }
  }

  private func operatorsReply(to request: HTTPRequest) -> HTTPReply {
    if let reply = packages.serve(request) { return reply }
    if request.path == "/_martlet/health" {
      return HTTPReply(
        status: 200, headers: [("Content-Type", "application/json")],
        body: ByteBuffer(string: #"{"status":"ok","version":"\#(MartletVersion.text)"}"#))
    }
    return HTTPReply(
      status: 404, headers: [("Content-Type", "text/plain")], body: ByteBuffer(string: "No such page of Martlet.\n"))
  }

  private func executor(of eventLoop: any EventLoop) -> EventLoopExecutor {
    executors.withLock { executors in
      if let executor = executors[ObjectIdentifier(eventLoop)] { return executor }
      let executor = EventLoopExecutor(eventLoop)
      executors[ObjectIdentifier(eventLoop)] = executor
      return executor
    }
  }
}
