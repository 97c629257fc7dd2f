// What the service says of aliases that it refuses (reference/api-validation.md 3.6).
import MartletCore

extension AWSError {
  static func aliasExists(_ arn: String) -> AWSError {
    AWSError("ResourceConflictException", status: 409, "Alias already exists: \(arn)")
  }

  /// To a caller who wants to see it.
  static func aliasNotFound(_ arn: String) -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "Cannot find alias arn: \(arn)", messageKey: .upper)
  }

  /// To a caller who wants to change it.
  static func aliasToChangeNotFound(_ arn: String) -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "Alias not found: \(arn)", messageKey: .upper)
  }

  static func tooManyAdditionalVersions() -> AWSError {
    .invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
  }

  static func additionalVersionIsMain(_ version: VersionName) -> AWSError {
    .invalidParameter(
      "Invalid function version \(version). "
        + "Function version \(version) is already included in routing configuration.")
  }

  static func latestInRouting() -> AWSError {
    .invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version", isTyped: false)
  }

  static func versionReferenced(_ version: VersionName, by alias: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "Version \(version) is referenced by alias \(alias). Update or delete the alias first.")
  }
}
