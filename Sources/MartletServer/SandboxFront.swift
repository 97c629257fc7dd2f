// The front as functions see it from inside of their sandboxes: the services, but not what is the operator's.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

final class SandboxFront: HTTPResponder {
  private let front: Front

  init(_ front: Front) { self.front = front }

  func bodyLimit(for head: HTTPRequestHead) -> Int { front.bodyLimit(for: head) }

  func draft(for head: HTTPRequestHead) -> DraftFile? { front.draft(for: head) }

  func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    guard !Front.isOperators(request.path) else {
      exchange.send(
        HTTPReply(
          status: 403, headers: [("Content-Type", "text/plain")],
          body: ByteBuffer(string: "Functions have no access to this page of Martlet.\n")))
      return
    }
    front.respond(to: request, exchange)
  }
}
