// Provisioned concurrency as answers show it: what is asked for, and how far it is.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html
import MartletCore
import MartletWire

struct ProvisionedConcurrencyState: Sendable {
  private let config: ProvisionedConcurrencyConfig
  private let level: (available: Int, allocated: Int, status: String, reason: String?)

  /// - Parameter level: nil while nothing has begun.
  init(
    _ config: ProvisionedConcurrencyConfig, _ level: (available: Int, allocated: Int, status: String, reason: String?)?
  ) {
    self.config = config
    self.level = level ?? (0, 0, ProvisionedLevel<Int>.Status.inProgress.rawValue, nil)
  }

  func write(to w: inout MemberWriter) {
    w.member("RequestedProvisionedConcurrentExecutions", config.requested)
    w.member("AvailableProvisionedConcurrentExecutions", level.available)
    w.member("AllocatedProvisionedConcurrentExecutions", level.allocated)
    w.member("Status", level.status)
    w.member("StatusReason", level.reason)
    w.member("LastModified", config.lastModified.lambdaSeconds)
  }
}

extension FunctionRecord {
  /// Refuses a qualifier that cannot be provisioned.
  /// - Parameter missing: what to say of `$LATEST`.
  func requireProvisioned(_ function: FunctionReference, missing: AWSError) throws(AWSError) {
    guard let qualifier = function.qualifier, qualifier != "$LATEST" else { throw missing }
    if aliases[qualifier] != nil { return }
    guard let version = VersionName(qualifier) else { throw .aliasNotFound(function.arn) }
    guard configuration(version) != nil else { throw .functionNotFound(function.arn) }
  }
}

extension Reader {
  /// The query's `Qualifier`, which these operations demand.
  func provisionedQualifier() -> String {
    guard let text = query("Qualifier", .length(1, 128), .pattern(provisionedQualifierPattern)) else {
      violate("Value null at 'qualifier' failed to satisfy constraint: Member must not be null")
      return ""
    }
    return text
  }
}

private let provisionedQualifierPattern = Pattern(#"(|[a-zA-Z0-9$_-]+)"#)
