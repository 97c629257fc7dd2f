// Every refusal of the service in AWS's words (reference/api-validation.md 3.4-3.12, reference/invoke.md 2.1).
import MartletCore

extension AWSError {
  /// - Parameter isTyped: false for the few refusals that AWS sends without `Type`.
  static func invalidParameter(_ message: String, isTyped: Bool = true) -> AWSError {
    AWSError("InvalidParameterValueException", status: 400, message, type: isTyped ? "User" : nil)
  }

  /// - Parameter arn: as the caller named it: with a qualifier only if the caller gave one.
  static func functionNotFound(_ arn: String) -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "Function not found: \(arn)", messageKey: .upper)
  }

  static func unreachableRegion(_ other: String, here: Region) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404,
      "Functions from '\(other)' are not reachable in this region ('\(here)')",
      messageKey: .upper)
  }

  static func functionExists(_ name: String) -> AWSError {
    AWSError("ResourceConflictException", status: 409, "Function already exist: \(name)")
  }

  static func updateInProgress(_ arn: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The operation cannot be performed at this time. An update is in progress for resource: \(arn)")
  }

  static func functionState(_ state: FunctionState) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The operation cannot be performed at this time. The function is currently in the following state: \(state.rawValue)"
    )
  }

  /// A version with SnapStart that is not active yet.
  static func snapStartNotReady() -> AWSError {
    AWSError(
      "SnapStartNotReadyException", status: 409,
      "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.",
      messageKey: .upper)
  }

  static func snapStartFailed() -> AWSError {
    AWSError(
      "SnapStartException", status: 400,
      "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.",
      messageKey: .upper)
  }

  static func snapStartTimedOut() -> AWSError {
    AWSError(
      "SnapStartTimeoutException", status: 408, "Lambda couldn't restore the snapshot within the timeout limit.",
      messageKey: .upper)
  }

  static func revisionMismatch() -> AWSError {
    AWSError(
      "PreconditionFailedException", status: 412,
      "The Revision Id provided does not match the latest Revision Id. "
        + "Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
  }

  static func requestTooLarge(_ operation: String, limit: ByteCount) -> AWSError {
    AWSError(
      "RequestEntityTooLargeException", status: 413,
      "Request must be smaller than \(limit.bytes) bytes for the \(operation) operation", type: nil)
  }

  static func payloadTooLarge(limit: ByteCount) -> AWSError {
    AWSError(
      "RequestTooLargeException", status: 413,
      "Request must be smaller than \(limit.bytes) bytes for the InvokeFunction operation")
  }

  static func payloadNotJSON(_ reason: String) -> AWSError {
    AWSError(
      "InvalidRequestContentException", status: 400,
      "Could not parse request body into json: Could not parse payload into json: \(reason)")
  }

  /// 429, with AWS's `Reason`. A function at its own limit is not told when to come back.
  static func throttled(_ reason: ThrottleReason) -> AWSError {
    var error = AWSError("TooManyRequestsException", status: 429, "Rate Exceeded.")
    error.members = [("Reason", reason.code)]
    if !reason.isOwn { error.headers = [("Retry-After", "1")] }
    return error.noting(reason.words)
  }

  /// The host lacks the interpreter. The text names the fix.
  static func runtimeMissing(_ text: String) -> AWSError {
    AWSError("InvalidRuntimeException", status: 502, text, messageKey: .upper)
  }
}
