// Tenants of one function: an invocation names its tenant, and environments are never shared between tenants.
// https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html and reference/invoke.md 2.7
import MartletCore

extension FunctionConfiguration {
  /// Created with `TenancyConfig`, which cannot be changed.
  package var isolatesTenants: Bool { !kept.isEmpty && kept["TenancyConfig"] != nil }

  /// - Throws: 400 if a tenant is missing, or is named where there can be none.
  func check(tenant: String?) throws(AWSError) {
    guard isolatesTenants != (tenant != nil) else { return }
    throw .invalidParameter(
      tenant == nil
        ? "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again."
        : "The invoked function is not enabled with tenancy configuration. "
          + "Remove the tenant ID from your request and try again.")
  }
}

extension FunctionRecord {
  /// - Throws: 400 for what would need environments of no tenant, or calls that name none.
  func requireNoTenants(for feature: String) throws(AWSError) {
    if latest.isolatesTenants { throw .tenantsWithout(feature) }
  }
}

extension AWSError {
  /// The page on tenant isolation says what is not supported; AWS's words are not known.
  static func tenantsWithout(_ feature: String) -> AWSError {
    .invalidParameter("\(feature) is not supported for functions with tenant isolation mode enabled.")
  }
}

/// The environments of one tenant of one version.
struct TenantKey: Hashable {
  let incarnation: RequestID
  let tenant: String
}
