// What the audit hears of a call. The row of its operation hands it over when the answer is known.
import MartletCore
import NIOCore
import Synchronization

/// Takes what is to be recorded.
package protocol AuditSink: Sendable {
  /// Takes a call to be recorded later, or drops and counts it because too much waits. Never waits; from any thread.
  func take(_ draft: AuditDraft)
}

/// One call of an operation, with all that its caller said: it is for the audit to leave out what nobody may see.
package struct AuditDraft: Sendable {
  package enum Outcome: Sendable {
    case answered(HTTPReply)
    case refused(AWSError)
  }

  package let route: Route
  package let kind: AuditClass
  package let call: Call
  package let request: HTTPRequest
  /// What the request says, by the names that the model gives it.
  package let input: [JSONValue.Member]
  package let outcome: Outcome

  init(_ route: Route, _ kind: AuditClass, _ reader: Reader, _ call: Call, _ outcome: Outcome) {
    self.init(route, kind, reader.request, reader.everything, call, outcome)
  }

  package init(
    _ route: Route, _ kind: AuditClass, _ request: HTTPRequest, _ input: [JSONValue.Member], _ call: Call,
    _ outcome: Outcome
  ) {
    self.route = route
    self.kind = kind
    self.call = call
    self.request = request
    self.input = input
    self.outcome = outcome
  }
}

extension Door {
  /// Tells an auditor of calls from now on.
  package func audit(to sink: any AuditSink) { auditor.withLock { $0 = sink } }

  /// Says which calls the auditor wants to hear of.
  package func setAudited(_ kinds: Set<AuditClass>) {
    audited.store(kinds.reduce(0) { $0 | $1.bit }, ordering: .relaxed)
  }

  /// Who wants to hear of such a call; nil = nobody. Asked for each call of every operation, so it costs one load.
  package func auditor(of kind: AuditClass) -> (any AuditSink)? {
    guard audited.load(ordering: .relaxed) & kind.bit != 0 else { return nil }
    return auditor.withLock { $0 }
  }
}
