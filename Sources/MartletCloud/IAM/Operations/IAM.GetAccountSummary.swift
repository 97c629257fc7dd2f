// GetAccountSummary: how many of each kind the account has, and how many it may have.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum GetAccountSummary: Operation {
    static let route = Route.query("IAM.GetAccountSummary")

    typealias Input = Empty

    struct Output: Writable {
      let counts: [(key: String, value: Int)]

      func write(to w: inout Writer) {
        w.body { $0.member("SummaryMap", counts.map { (key: $0.key, value: String($0.value)) }) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let (place, limits) = (IAMService.place(call), iam.limits)
      let policies = iam.policies.list(place)
      return Output(counts: [
        ("Users", iam.users.names(place).count), ("UsersQuota", limits.users),
        ("Groups", iam.groups.names(place).count), ("GroupsQuota", limits.groups),
        ("Roles", iam.roles.names(place).count), ("RolesQuota", limits.roles),
        ("Policies", policies.count), ("PoliciesQuota", limits.policies),
        ("PolicyVersionsInUse", policies.reduce(0) { $0 + $1.versions.count }), ("PolicyVersionsInUseQuota", 10_000),
        ("InstanceProfiles", iam.instanceProfiles.names(place).count),
        ("InstanceProfilesQuota", limits.instanceProfiles),
        ("AccessKeysPerUserQuota", limits.accessKeysPerUser), ("GroupsPerUserQuota", limits.groupsPerUser),
        ("AttachedPoliciesPerRoleQuota", limits.attachedPolicies),
        ("AttachedPoliciesPerUserQuota", limits.attachedPolicies),
        ("AttachedPoliciesPerGroupQuota", limits.attachedPolicies),
        ("VersionsPerPolicyQuota", limits.versionsPerPolicy),
        ("PolicySizeQuota", limits.policySize), ("AssumeRolePolicySizeQuota", limits.trustPolicySize),
        ("RolePolicySizeQuota", limits.inlineSizePerRole), ("UserPolicySizeQuota", limits.inlineSizePerUser),
        ("GroupPolicySizeQuota", limits.inlineSizePerGroup), ("AccountAccessKeysPresent", 0), ("AccountMFAEnabled", 0),
        ("AccountSigningCertificatesPresent", 0), ("MFADevices", 0), ("MFADevicesInUse", 0), ("Providers", 0),
        ("ServerCertificates", 0), ("ServerCertificatesQuota", 20), ("SigningCertificatesPerUserQuota", 2),
        ("GlobalEndpointTokenVersion", 1),
      ])
    }
  }
}
