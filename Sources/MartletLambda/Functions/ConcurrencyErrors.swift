// What the service says of concurrency that it refuses (reference/api-validation.md 3.10).
import MartletCore

extension AWSError {
  /// The text begins with a space, and has two in the middle: AWS's own.
  static func reservedBelowProvisioned(_ reserved: Int, provisioned: Int) -> AWSError {
    .invalidParameter(
      " ReservedConcurrentExecutions  \(reserved) should not be lower than function's total provisioned concurrency "
        + "[\(provisioned)].", isTyped: false)
  }

  static func reservedTooMuch(minimum: Int) -> AWSError {
    .invalidParameter(
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        + "minimum value of [\(minimum)].", isTyped: false)
  }

  static func provisionedAboveReserved() -> AWSError {
    .invalidParameter(
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
  }

  static func provisionedAboveUnreserved(_ unreserved: Int) -> AWSError {
    .invalidParameter(
      "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [\(unreserved)].",
      isTyped: false)
  }

  static func provisionedTooMuch(minimum: Int) -> AWSError {
    .invalidParameter(
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        + "minimum value of [\(minimum)].", isTyped: false)
  }

  static func provisionedLatest() -> AWSError {
    .invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
  }

  static func provisionedNeedsVersion() -> AWSError {
    .invalidParameter("The function resource provided must be an alias or a published version.")
  }

  static func provisionedVersionOfAlias() -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
  }

  static func provisionedAliasOfVersion() -> AWSError {
    AWSError("ResourceConflictException", status: 409, "Version is pointed by a Provisioned Concurrency alias")
  }

  static func provisionedNotFound() -> AWSError {
    AWSError(
      "ProvisionedConcurrencyConfigNotFoundException", status: 404,
      "No Provisioned Concurrency Config found for this function")
  }
}
