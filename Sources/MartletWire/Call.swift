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
  /// The address that the caller's connection comes from.
  package var sourceAddress = "127.0.0.1"

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
  /// Whom the access key stands for, as far as IAM knows.
  case identity(Identity)
  /// An AWS service that acts by itself, such as `lambda.amazonaws.com`.
  case service(String)
  /// A part of this server.
  case martlet(String)
}

extension Call {
  /// Who calls, as STS says it: whoever is not known otherwise is the root of the account.
  package var identity: Identity { if case .identity(let known) = caller { known } else { .root(place.account) } }

  /// The same call, made by a service of the server on behalf of the account.
  package func by(_ service: String) -> Call {
    Call(requestID: requestID, place: place, caller: .service(service), host: host, traceHeader: traceHeader)
  }
}
