// What the service says of layers that it refuses or does not have (reference/api-validation.md 3.8).
import MartletCore

extension AWSError {
  /// A layer version, where it is what the caller asks for.
  static func layerNotFound() -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "The resource you requested does not exist.", messageKey: .upper)
  }

  /// A layer version, where the caller asks for its policy.
  static func layerVersionNotFound(_ arn: String) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "Layer version \(arn) does not exist.", messageKey: .upper)
  }

  static func layerVersionTooSmall() -> AWSError { .invalidParameter("Layer Version Cannot be less than 1") }

  /// - Parameter arn: of the layer or the version, as far as the caller named it.
  static func layerDenied(_ arn: String, action: String, to account: Account) -> AWSError {
    AWSError(
      "AccessDeniedException", status: 403,
      "User: arn:aws:iam::\(account):root is not authorized to perform: \(action) on resource: \(arn) "
        + "because no resource-based policy allows the \(action) action",
      type: nil, messageKey: .upper)
  }

  static func layerStatementExists(_ id: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The statement id (\(id)) provided already exists. "
        + "Please provide a new statement id, or remove the existing statement.")
  }

  static func layerStatementNotFound(_ id: String) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "Statement \(id) is not found in resource policy.", messageKey: .upper)
  }

  static func layerPolicyNotFound() -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "No policy is associated with the given resource.", messageKey: .upper)
  }

  static func layerPolicyRevisionMismatch() -> AWSError {
    AWSError(
      "PreconditionFailedException", status: 412,
      "The Revision Id provided does not match the latest Revision Id. "
        + "Call the GetLayerPolicy API to retrieve the latest Revision Id")
  }

  /// - Parameter size: of the policy as it would be, in bytes.
  static func layerPolicyTooLarge(_ size: Int, limit: ByteCount) -> AWSError {
    AWSError(
      "PolicyLengthExceededException", status: 400,
      "The final policy size (\(size)) is bigger than the limit (\(limit.bytes)).")
  }

  /// - Parameter size: of code and layers unpacked, in bytes.
  static func codeWithLayersTooLarge(_ size: Int, limit: ByteCount) -> AWSError {
    .invalidParameter(
      "Function code combined with layers exceeds the maximum allowed size of \(limit.bytes) bytes. "
        + "The actual size is \(size) bytes.")
  }
}
