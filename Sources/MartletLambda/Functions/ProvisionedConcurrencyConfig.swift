// Provisioned concurrency as it is asked for: so many environments of a version, or of an alias's version, kept ready.
// https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
import MartletCore
import MartletWire

package struct ProvisionedConcurrencyConfig: Attachment {
  package let requested: Int
  package let lastModified: Timestamp

  package init(requested: Int, lastModified: Timestamp) {
    self.requested = requested
    self.lastModified = lastModified
  }

  package init?(json: JSONValue) {
    guard let requested = json["Requested"]?.integer, let modified = json["LastModifiedNanoseconds"]?.integer else {
      return nil
    }
    self.init(requested: requested, lastModified: Timestamp(nanoseconds: Int64(modified)))
  }

  package var json: JSONValue {
    .members(
      ("Requested", .integer(Int64(requested))), ("LastModifiedNanoseconds", .integer(lastModified.nanoseconds)))
  }
}

extension FunctionRecord {
  /// Environments that are asked for, over all qualifiers.
  package var provisionedTotal: Int { provisioned.values.reduce(0) { $0 + $1.requested } }

  /// The version whose environments a qualifier's provisioned concurrency keeps ready.
  package func provisionedVersion(_ qualifier: String) -> FunctionConfiguration? {
    (aliases[qualifier]?.version ?? VersionName(qualifier)).flatMap { configuration($0) }
  }

  /// Refuses to keep environments of one version for two qualifiers.
  /// - Parameter alias: as it shall be.
  func requireProvisionable(_ alias: Alias) throws(AWSError) {
    guard provisioned[alias.name] != nil else { return }
    if configuration(alias.version)?.isSnapStarted == true { throw .snapStartUnsupported("Provisioned Concurrency") }
    let others = provisioned.keys.filter { $0 != alias.name }
    if others.contains(where: { (aliases[$0]?.version ?? VersionName($0)) == alias.version }) {
      throw .provisionedVersionOfAlias()
    }
  }

  /// The same for a version that is named by its number.
  func requireProvisionable(_ version: VersionName) throws(AWSError) {
    if configuration(version)?.isSnapStarted == true { throw .snapStartUnsupported("Provisioned Concurrency") }
    if provisioned.keys.contains(where: { aliases[$0]?.version == version }) { throw .provisionedAliasOfVersion() }
  }
}
