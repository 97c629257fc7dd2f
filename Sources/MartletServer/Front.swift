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
  /// Knows whom access keys stand for.
  private let iam = Mutex<IAMService?>(nil)
  private let packages: CodePackages
  private let executors = Mutex<[ObjectIdentifier: EventLoopExecutor]>([:])
  private let log: Logger

  package init(world: any World, defaults: Place, limits: LambdaLimits, packages: CodePackages, log: Logger) {
    self.world = world
    self.defaults = defaults
    self.limits = limits
    self.packages = packages
    self.log = log
  }

  /// The services are made after the front, because environments lead back to it.
  package func serve(_ services: [String: any WireService], iam: IAMService?) {
    self.iam.withLock { $0 = iam }
    self.services.withLock { $0 = services }
  }

  package func bodyLimit(for head: HTTPRequestHead) -> Int {
    head.uri.contains("/invocations") ? limits.invokeRequest.bytes : limits.requestSize.bytes
  }

  package func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    let call = Principals.call(for: request, defaults: defaults, world: world, iam: iam.withLock { $0 })
    if request.path.hasPrefix("/_martlet/") {
      exchange.send(operatorsReply(to: request))
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
