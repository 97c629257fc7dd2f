// Everything about a call that is not its input: who, where, when, and under which id.
import MartletCore

package struct Call: Sendable {
  package let requestID: RequestID
  /// The account and region that the caller's signature names.
  package let place: Place
  package let caller: Principal
  /// `host:port` under which the caller reached the server; links in answers use it.
  package let host: String
  /// The caller's trace header, if it sent one.
  package let traceHeader: String?

  package init(requestID: RequestID, place: Place, caller: Principal, host: String, traceHeader: String?) {
    self.requestID = requestID
    self.place = place
    self.caller = caller
    self.host = host
    self.traceHeader = traceHeader
  }
}

/// Who calls.
package enum Principal: Sendable, Equatable {
  /// Nobody signed.
  case anonymous
  /// The holder of an access key, whose signature is not checked until authorisation is built.
  case accessKey(String)
  /// A part of this server.
  case martlet(String)
}
