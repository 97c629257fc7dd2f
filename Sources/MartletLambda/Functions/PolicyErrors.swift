// What the service says of resource policies that it refuses or does not have (reference/api-validation.md 3.7).
import MartletCore

extension AWSError {
  /// Where the resource, or what is asked of it, is not there.
  static func resourceNotFound() -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "The resource you requested does not exist.", messageKey: .upper)
  }

  static func policyOfLatest() -> AWSError {
    .invalidParameter("We currently do not support adding policies for $LATEST.")
  }

  static func invalidPrincipal() -> AWSError {
    .invalidParameter("The provided principal was invalid. Please check the principal and try again.")
  }

  static func urlAuthTypeOfOtherAction() -> AWSError {
    .invalidParameter("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
  }

  static func statementExists(_ id: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The statement id (\(id)) provided already exists. "
        + "Please provide a new statement id, or remove the existing statement.")
  }

  static func statementNotFound(_ id: String) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "Statement \(id) is not found in resource policy.", messageKey: .upper)
  }

  static func noPolicy() -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "No policy is associated with the given resource.", messageKey: .upper)
  }

  /// To a caller who wants to remove a statement from the policy of a function that is not there.
  static func noPolicy(of arn: String) -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "No policy found for: \(arn)", messageKey: .upper)
  }

  /// - Parameter remedy: the operation that tells the right revision.
  static func policyRevisionMismatch(remedy: String) -> AWSError {
    AWSError(
      "PreconditionFailedException", status: 412,
      "The Revision Id provided does not match the latest Revision Id. "
        + "Call the \(remedy) API to retrieve the latest Revision Id")
  }

  /// - Parameter size: of the policy as it would be, in bytes.
  static func policyTooLarge(_ size: Int) -> AWSError {
    AWSError(
      "PolicyLengthExceededException", status: 400,
      "The final policy size (\(size)) is bigger than the limit (\(ResourcePolicy.limit)).")
  }

  static func publicPolicy() -> AWSError {
    AWSError(
      "PublicPolicyException", status: 400,
      "The resource-based policy you tried to add to the Lambda resource would grant public access to it, "
        + "which isn't allowed.", messageKey: .upper)
  }

  /// - Parameter reason: what is wrong, in Martlet's words.
  static func invalidPolicy(_ reason: String) -> AWSError {
    .invalidParameter("The provided policy document is not valid: \(reason).")
  }
}
