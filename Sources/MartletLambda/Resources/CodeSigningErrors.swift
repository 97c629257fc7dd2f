// What the service says of code signing configurations (reference/api-validation.md 3.13).
import MartletCore

extension AWSError {
  static func codeSigningConfigNotFound(_ arn: String) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "The Lambda code signing configuration \(arn) can not be found.",
      type: nil, messageKey: .upper)
  }

  /// For a function that shall use it.
  static func usedCodeSigningConfigNotFound(_ arn: String) -> AWSError {
    AWSError(
      "CodeSigningConfigNotFoundException", status: 404,
      "The code signing configuration cannot be found. Check that the provided configuration is not deleted: \(arn).",
      messageKey: .upper)
  }

  static func codeSigningConfigInUse(_ arn: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The code signing configuration \(arn) is used by a function and can not be deleted.")
  }

  static func unsigned() -> AWSError {
    AWSError(
      "CodeVerificationFailedException", status: 400,
      "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is "
        + "not configured to accept. Check the provided signature for unsigned.",
      messageKey: .upper)
  }
}
