// A service as the front sees it: something that answers requests, whatever its protocol.
import MartletCore

package protocol WireService: Sendable {
  /// Never throws, because errors are answers too.
  func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply
}

extension RESTService: WireService {}
