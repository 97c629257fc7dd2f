// What IAM says when it refuses, in its own words.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and the errors of each operation
import MartletCore

extension AWSError {
  private static func noSuchEntity(_ message: String) -> AWSError { AWSError("NoSuchEntity", status: 404, message) }
  private static func deleteConflict(_ message: String) -> AWSError { AWSError("DeleteConflict", status: 409, message) }
  private static func limit(_ message: String) -> AWSError { AWSError("LimitExceeded", status: 409, message) }
  private static func alreadyExists(_ message: String) -> AWSError {
    AWSError("EntityAlreadyExists", status: 409, message)
  }
  private static func invalidInput(_ message: String) -> AWSError { AWSError("InvalidInput", status: 400, message) }
  private static func iamValidation(_ message: String) -> AWSError {
    AWSError("ValidationException", status: 400, message)
  }

  // MARK: What is not there

  static func iamNotFound(_ noun: IAMNoun, _ name: String) -> AWSError {
    noun.word == "instance-profile"
      ? noSuchEntity("Instance Profile \(name) cannot be found.")
      : noSuchEntity("The \(noun.word) with name \(name) cannot be found.")
  }

  static func inlinePolicyNotFound(_ noun: IAMNoun, _ name: String) -> AWSError {
    noSuchEntity("The \(noun.word) policy with name \(name) cannot be found.")
  }

  static func policyNotFound(_ arn: String) -> AWSError { noSuchEntity("Policy \(arn) was not found.") }

  static func policyNotAttachable(_ arn: String) -> AWSError {
    noSuchEntity("Policy \(arn) does not exist or is not attachable.")
  }

  static func policyVersionNotFound(_ arn: String, _ version: String) -> AWSError {
    noSuchEntity("Policy \(arn) version \(version) does not exist or is not attachable.")
  }

  static func accessKeyNotFound(_ id: String) -> AWSError {
    noSuchEntity("The Access Key with id \(id) cannot be found.")
  }

  static func roleNotInProfile(_ role: String, _ profile: String) -> AWSError {
    noSuchEntity("The role with name \(role) is not in the instance profile \(profile).")
  }

  static func noPermissionsBoundary(_ name: String) -> AWSError {
    noSuchEntity("\(name) does not have a permissions boundary.")
  }

  static func accountAliasNotFound(_ alias: String) -> AWSError {
    noSuchEntity("The account alias \(alias) cannot be found.")
  }

  static func deletionTaskNotFound(_ id: String) -> AWSError {
    noSuchEntity("The deletion task \(id) cannot be found.")
  }

  // MARK: What is there already

  static func iamExists(_ noun: IAMNoun, _ name: String) -> AWSError {
    switch noun.word {
    case "policy": alreadyExists("A policy called \(name) already exists. Duplicate names are not allowed.")
    case "instance-profile": alreadyExists("Instance Profile \(name) already exists.")
    default: alreadyExists("\(noun.title) with name \(name) already exists.")
    }
  }

  static func accountAliasExists(_ alias: String) -> AWSError {
    alreadyExists("The account alias \(alias) already exists.")
  }

  // MARK: What cannot be deleted

  static func mustDetachPolicies() -> AWSError {
    deleteConflict("Cannot delete entity, must detach all policies first.")
  }
  static func mustDeletePolicies() -> AWSError { deleteConflict("Cannot delete entity, must delete policies first.") }
  static func mustLeaveProfiles() -> AWSError {
    deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
  }
  static func mustDeleteAccessKeys() -> AWSError {
    deleteConflict("Cannot delete entity, must delete access keys first.")
  }
  static func mustLeaveGroups() -> AWSError {
    deleteConflict("Cannot delete entity, must remove users from group first.")
  }
  static func policyAttached() -> AWSError { deleteConflict("Cannot delete a policy attached to entities.") }
  static func policyHasVersions() -> AWSError {
    deleteConflict(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
    )
  }
  static func defaultVersionNotDeletable() -> AWSError {
    deleteConflict("Cannot delete the default version of a policy.")
  }
  static func unmodifiable(role: String) -> AWSError {
    AWSError(
      "UnmodifiableEntity", status: 400,
      "Cannot perform the operation on the protected role '\(role)' - this role is only modifiable by AWS")
  }

  // MARK: Quotas

  static func quota(_ name: String, _ limit: Int) -> AWSError {
    self.limit("Cannot exceed quota for \(name): \(limit)")
  }

  static func inlineSize(_ limit: Int, _ noun: IAMNoun, _ name: String) -> AWSError {
    self.limit("Maximum policy size of \(limit) bytes exceeded for \(noun.word) \(name)")
  }

  static func tooManyVersions(_ limit: Int) -> AWSError {
    self.limit(
      "A managed policy can have up to \(limit) versions. Before you create a new version, you must delete an existing version."
    )
  }

  // MARK: What is wrong with the request

  static func malformedPolicy(_ message: String) -> AWSError {
    AWSError("MalformedPolicyDocument", status: 400, message)
  }

  static func invalidARN(_ arn: String) -> AWSError { invalidInput("ARN \(arn) is not valid.") }

  static func outsideAccount(_ arn: String) -> AWSError {
    AWSError("AccessDenied", status: 403, "Policy \(arn) is outside your own account.")
  }

  static func duplicateTags() -> AWSError {
    invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
  }

  static func systemTags() -> AWSError {
    invalidInput("Caller is an end user and not allowed to mutate system tags.")
  }

  static func suffixTaken(_ role: String) -> AWSError {
    invalidInput("Service role name \(role) has been taken in this account, please try a different suffix.")
  }

  static func notServiceLinked(_ role: String) -> AWSError {
    invalidInput("The role \(role) is not a service-linked role.")
  }

  static func invalidServiceName(_ name: String) -> AWSError {
    invalidInput("The service name \(name) is not valid: it must be that of a service, such as lambda.amazonaws.com.")
  }

  static func iamInvalidMarker() -> AWSError { iamValidation("Invalid Marker.") }

  static func userNameMissing() -> AWSError {
    iamValidation("Must specify userName when calling with non-User credentials")
  }

  static func invalidPath(_ member: String) -> AWSError {
    iamValidation(
      "The specified value for \(member) is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."
    )
  }

  static func invalidPathPrefix() -> AWSError {
    iamValidation(
      "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."
    )
  }

  static func keyStatusNotSettable(_ status: String) -> AWSError {
    invalidInput("The status of an access key cannot be set to \(status).")
  }
}
