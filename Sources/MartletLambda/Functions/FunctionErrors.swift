// What the service says of settings, code and tags that it refuses (reference/api-validation.md 3.4, 3.5, 3.12).
import MartletCore
import MartletWire

extension AWSError {
  /// The one length rule that AWS checks after the others and under another code.
  static func functionNameTooLong(_ name: String, limit: Int) -> AWSError {
    .invalidParameter(
      "1 validation error detected: Value '\(name)' at 'functionName' failed to satisfy constraint: "
        + "Member must have length less than or equal to \(limit)")
  }

  static func runtimeAndHandlerMissing() -> AWSError {
    .invalidParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
  }

  static func roleNotAssumable() -> AWSError {
    .invalidParameter("The role defined for the function cannot be assumed by Lambda.")
  }

  static func codeSourceMissing() -> AWSError { .invalidParameter("Please provide a source for function code.") }

  static func codeSourceAmbiguous() -> AWSError {
    .invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.")
  }

  /// What S3 said of the object with the code.
  static func codeObject(_ error: AWSError, _ limits: LambdaLimits) -> AWSError {
    if error == .s3TooLarge() { return .unzippedTooLarge(limits.codeSizeUnzipped) }
    return .invalidParameter(
      "Error occurred while GetObject. S3 Error Code: \(error.code). S3 Error Message: \(error.message)")
  }

  static func unzippedTooLarge(_ limit: ByteCount) -> AWSError {
    .invalidParameter("Unzipped size must be smaller than \(limit.bytes) bytes")
  }

  static func imageForZipFunction() -> AWSError {
    .invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
  }

  /// - Parameter measured: the variables as the compact JSON that was measured.
  static func environmentTooLarge(_ measured: String) -> AWSError {
    .invalidParameter(
      "Lambda was unable to configure your environment variables because the environment variables you have provided "
        + "exceeded the 4KB limit. String measured: \(measured)")
  }

  static func environmentReserved(_ names: [String]) -> AWSError {
    .invalidParameter(
      "Lambda was unable to configure your environment variables because the environment variables you have provided "
        + "contains reserved keys that are currently not supported for modification. "
        + "Reserved keys used in this request: " + names.joined(separator: ", "))
  }

  static func logLevelWithText() -> AWSError {
    .invalidParameter(
      "LogLevel is not supported when LogFormat is set to \"Text\". "
        + "Remove LogLevel from your request or change the LogFormat to \"JSON\" and try again.")
  }

  static func durableTooLate() -> AWSError {
    .invalidParameter("You cannot enable durable execution on an existing function")
  }

  static func snapStartUnsupported(_ what: String) -> AWSError {
    .invalidParameter("\(what) is not supported for SnapStart enabled functions.")
  }

  static func imageConfigOfZip() -> AWSError {
    .invalidParameter("ImageConfig is only supported for functions with packageType Image.")
  }

  static func zipSettingsOfImage() -> AWSError {
    .invalidParameter(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
  }

  static func publishToNeedsCapacityProvider() -> AWSError {
    .invalidParameter("PublishTo LATEST_PUBLISHED is only supported for functions with a capacity provider.")
  }

  static func noPublishedVersion(_ arn: String) -> AWSError {
    AWSError(
      "NoPublishedVersionException", status: 400, "No version of the function is published: \(arn)",
      messageKey: .upper)
  }

  static func tooManyLayers(_ limit: Int) -> AWSError {
    .invalidParameter("Cannot reference more than \(limit) layers.")
  }

  static func layerRegion(_ region: Region) -> AWSError {
    .invalidParameter(
      "Layers are not in the same region as the function. Layers are expected to be in region \(region).")
  }

  static func sameLayerTwice(_ a: String, _ b: String) -> AWSError {
    .invalidParameter(
      "Two different versions of the same layer are not allowed to be referenced in the same function. "
        + "\(a) and \(b) are versions of the same layer.")
  }

  static func layerVersionMissing(_ arn: String) -> AWSError {
    .invalidParameter("Layer version \(arn) does not exist.")
  }

  static func codeStorageExceeded() -> AWSError {
    AWSError("CodeStorageExceededException", status: 400, "Code storage limit exceeded.")
  }

  static func codeDigestMismatch(given: String, current: String) -> AWSError {
    .invalidParameter(
      "CodeSHA256 (\(given)) is different from current CodeSHA256 in $LATEST (\(current)). "
        + "Please try again with the CodeSHA256 in $LATEST.")
  }

  /// A version or an alias was named where only a function has the thing.
  static func unqualifiedOnly() -> AWSError {
    .invalidParameter(
      "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        + "Please specify either a function name or an unqualified function ARN.")
  }

  static func latestNotDeletable() -> AWSError {
    .invalidParameter("$LATEST version cannot be deleted without deleting the function.")
  }

  static func aliasNotDeletable() -> AWSError { .invalidParameter("Deletion of aliases is not currently supported.") }

  static func invalidMarker() -> AWSError { .invalidParameter("Invalid marker.") }

  static func tooManyTags() -> AWSError { .invalidParameter("Number of tags exceeds resource tag limit.") }

  static func reservedTagKey() -> AWSError {
    .invalidParameter("The tag key prefix aws: is reserved. You can not add, change or remove tags with this prefix.")
  }

  /// AWS says no more when the map of tags is empty.
  static func noTags() -> AWSError { .invalidParameter("An error occurred and the request cannot be processed.") }

  static func tagsOfVersion() -> AWSError {
    .invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.")
  }
}
