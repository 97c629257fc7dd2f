// The platform as functions reach it: all of it but the pages that are the operator's.
import MartletCore
import MartletWire
import NIOHTTP1

final class FunctionsFront: HTTPResponder {
  private let front: Front

  init(_ front: Front) { self.front = front }

  func bodyLimit(for head: HTTPRequestHead) -> Int { front.bodyLimit(for: head) }

  func draft(for head: HTTPRequestHead) -> DraftFile? { front.draft(for: head) }

  func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
    front.respond(to: request, exchange, isOperator: false)
  }
}
