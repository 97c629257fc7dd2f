// The error that a caller sees: the call was wrong, or refused. Made by the factories in <Service>Errors.swift only.

/// A refusal in AWS's exact words (reference/api-validation.md 3.1).
package struct AWSError: Error, Sendable, Equatable {
  /// Which spelling of the message member the modelled error has.
  package enum MessageKey: String, Sendable {
    case lower = "message"
    case upper = "Message"
  }

  /// The code in `x-amzn-ErrorType`, such as `ResourceNotFoundException`.
  package let code: String
  /// The HTTP status.
  package let status: Int
  /// The text for the caller.
  package let message: String
  /// The error's `Type` member, `User` or `Service`; nil where AWS sends none.
  package var type: String?
  package var messageKey: MessageKey
  /// Further members of the body, such as `Reason`.
  package var members: [(name: String, value: String)] = []
  /// Further members of the body that are structures, as JSON.
  package var documents: [(name: String, json: String)] = []
  /// Further headers, such as `Retry-After`.
  package var headers: [(name: String, value: String)] = []
  /// True of the refusal of a request that breaks the service model, whose code some services call otherwise.
  package var isViolation = false
  /// For the operator's log; never sent.
  package var note: String?

  package init(
    _ code: String, status: Int, _ message: String, type: String? = "User", messageKey: MessageKey = .lower
  ) {
    self.code = code
    self.status = status
    self.message = message
    self.type = type
    self.messageKey = messageKey
  }

  package func noting(_ note: String) -> AWSError {
    var copy = self
    copy.note = note
    return copy
  }

  package static func == (a: AWSError, b: AWSError) -> Bool {
    a.code == b.code && a.status == b.status && a.message == b.message
  }
}

extension AWSError {
  /// Several violated constraints in one message, as AWS's validation layer words them.
  package static func validation(_ violations: [String]) -> AWSError {
    let noun = violations.count == 1 ? "validation error" : "validation errors"
    var error = AWSError(
      "ValidationException", status: 400,
      "\(violations.count) \(noun) detected: \(violations.joined(separator: "; "))", type: nil)
    error.isViolation = true
    return error
  }

  /// The body could not be read as what the operation declares.
  package static func serialization(_ message: String) -> AWSError {
    AWSError("SerializationException", status: 400, message, messageKey: .upper)
  }

  /// Martlet failed. The caller learns nothing but the request id; `note` is for the operator.
  package static func service(_ note: String) -> AWSError {
    AWSError(
      "ServiceException", status: 500, "An error occurred and the request cannot be processed.", type: "Service",
      messageKey: .upper
    ).noting(note)
  }

  /// The operation exists in AWS's model and is not built here yet (UNIMPLEMENTED.txt).
  package static func notImplemented(_ operation: String) -> AWSError {
    AWSError(
      "NotImplementedException", status: 501,
      "Martlet does not implement \(operation) yet. UNIMPLEMENTED.txt lists what is missing.", type: "Service")
  }
}
