// What STS says when it refuses, in its own words.
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and the errors of each operation
import MartletCore
import MartletWire

extension AWSError {
  private static func stsValidation(_ message: String) -> AWSError {
    AWSError("ValidationException", status: 400, message)
  }

  static func stsInvalidARN(_ arn: String) -> AWSError { stsValidation("\(arn) is invalid") }

  static func sessionTooLongForRole() -> AWSError {
    stsValidation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
  }

  static func sessionTooLongInChain() -> AWSError {
    stsValidation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
  }

  static func notAuthorized(_ call: Call, action: String, on resource: String) -> AWSError {
    let who: String
    switch call.caller {
    case .service(let name): who = "Service: \(name)"
    default: who = "User: \(call.identity.arn)"
    }
    return AWSError(
      "AccessDenied", status: 403, "\(who) is not authorized to perform: \(action) on resource: \(resource)")
  }

  static func sessionCallsSession(_ operation: String) -> AWSError {
    AWSError("AccessDenied", status: 403, "Cannot call \(operation) with session credentials")
  }

  static func packedPolicyTooLarge(_ percent: Int) -> AWSError {
    AWSError(
      "PackedPolicyTooLarge", status: 400,
      "Packed policy consumes \(percent)% of allotted space, please use smaller policy.")
  }

  static func notAToken() -> AWSError {
    AWSError(
      "InvalidIdentityToken", status: 400,
      "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
  }

  static func tokenExpired() -> AWSError {
    AWSError("ExpiredTokenException", status: 400, "Token must be redeemed within 24 hours of issuance")
  }

  static func invalidAuthorizationMessage() -> AWSError {
    AWSError("InvalidAuthorizationMessageException", status: 400, "Message is not valid.")
  }

  static func notAnAccessKey() -> AWSError {
    stsValidation("The specified value for accessKeyId is not the id of an access key.")
  }
}
