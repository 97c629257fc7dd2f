// The quotas of an account, as AWS sets them by default.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

package struct IAMLimits: Sendable {
  package var roles = 1000
  package var users = 5000
  package var groups = 300
  package var policies = 1500
  package var instanceProfiles = 1000
  package var accessKeysPerUser = 2
  package var groupsPerUser = 10
  package var attachedPolicies = 10
  package var versionsPerPolicy = 5
  package var tags = 50
  /// Characters of a managed policy that are not white space.
  package var policySize = 6144
  /// Characters of a trust policy that are not white space.
  package var trustPolicySize = 2048
  /// Characters of all inline policies of one holder that are not white space.
  package var inlineSizePerRole = 10_240
  package var inlineSizePerUser = 2048
  package var inlineSizePerGroup = 5120

  package init() {}
}
