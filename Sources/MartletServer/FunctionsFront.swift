// The platform as functions reach it: the APIs of AWS, and none of the operator's pages but links to packages.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

final class FunctionsFront: HTTPResponder {
  private let front: Front

  init(_ front: Front) { self.front = front }

  func bodyLimit(for head: HTTPRequestHead) -> Int { front.bodyLimit(for: head) }

  func draft(for head: HTTPRequestHead) -> DraftFile? { front.draft(for: head) }

  func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    if request.path.hasPrefix("/_martlet/"), !request.path.hasPrefix("/_martlet/code/") {
      exchange.send(HTTPReply(status: 403, headers: [("Content-Type", "text/plain")], body: FunctionsFront.refusal))
    } else {
      front.respond(to: request, exchange)
    }
  }

  private static let refusal = ByteBuffer(string: "Martlet's own pages are not for functions.\n")
}
