// A function with all of its versions: the unit that is changed, stored and published at once.
import MartletCore

/// Names a function within the server.
package typealias FunctionKey = ResourceKey

package struct FunctionRecord: Sendable {
  package let key: FunctionKey
  private var latestVersion: StoredVersion
  /// `$LATEST.PUBLISHED`.
  private var latestPublishedVersion: StoredVersion?
  private var numbered: [Int: StoredVersion] = [:]
  /// What `$LATEST` runs while an update of it is in progress, and after one that has failed.
  package var serving: FunctionConfiguration? {
    get { servingPackage ?? (servingImages.isEmpty ? nil : servingImages[""]?.configuration) }
    set {
      servingPackage = newValue?.image == nil ? newValue : nil
      servingImages[""] = newValue?.image == nil ? nil : newValue.map { ServingImage($0) }
    }
  }
  /// A package is unpacked in a moment, and after a crash it is unpacked again.
  private var servingPackage: FunctionConfiguration?
  /// The number that the next published version gets. Numbers are never used twice.
  package var nextVersion = 1
  package var tags: [(key: String, value: String)] = []

  // What is attached (FunctionRecord+Attachments.swift), by qualifier; "" is the function itself.
  package var aliases: [String: Alias] = [:]
  package var codeSigning: [String: FunctionCodeSigning] = [:]
  package var reservedConcurrency: [String: ReservedConcurrency] = [:]
  package var provisioned: [String: ProvisionedConcurrencyConfig] = [:]
  package var policies: [String: ResourcePolicy] = [:]
  package var eventInvokeConfigs: [String: EventInvokeConfig] = [:]
  package var urls: [String: FunctionURL] = [:]
  package var recursionConfigs: [String: RecursionConfig] = [:]
  package var runtimeManagement: [String: RuntimeManagement] = [:]
  package var directories: [String: WatchedDirectory] = [:]
  package var scalingConfigs: [String: FunctionScalingConfig] = [:]
  /// An image that takes long, or cannot be fetched, must not stop what runs, whatever becomes of the server.
  package var servingImages: [String: ServingImage] = [:]

  package init(latest: FunctionConfiguration) {
    key = FunctionKey(place: latest.place, name: latest.name)
    latestVersion = StoredVersion(latest)
  }

  /// As it comes from the database.
  init(key: FunctionKey, latest: StoredVersion) {
    self.key = key
    latestVersion = latest
  }

  // MARK: - Versions

  /// `$LATEST`.
  package var latest: FunctionConfiguration {
    get { latestVersion.configuration }
    set { latestVersion = StoredVersion(newValue) }
  }

  package func stored(_ version: VersionName) -> StoredVersion? {
    switch version {
    case .latest: latestVersion
    case .latestPublished: latestPublishedVersion
    case .number(let n): numbered[n]
    }
  }

  /// The configuration of a version as the API shows it.
  package func configuration(_ version: VersionName) -> FunctionConfiguration? { stored(version)?.configuration }

  /// What an invocation of a version runs.
  package func invocable(_ version: VersionName) -> FunctionConfiguration? {
    version == .latest ? serving ?? latest : configuration(version)
  }

  /// Puts a version in its place.
  package mutating func put(_ configuration: FunctionConfiguration) {
    put(StoredVersion(configuration), as: configuration.version)
  }

  mutating func put(_ stored: StoredVersion, as version: VersionName) {
    switch version {
    case .latest: latestVersion = stored
    case .latestPublished: latestPublishedVersion = stored
    case .number(let n): numbered[n] = stored
    }
  }

  package mutating func remove(number: Int) { numbered[number] = nil }

  /// Every version, `$LATEST` first, then by number.
  package var versions: [(version: VersionName, stored: StoredVersion)] {
    [(.latest, latestVersion)] + (latestPublishedVersion.map { [(.latestPublished, $0)] } ?? [])
      + numbered.sorted { $0.key < $1.key }.map { (.number($0.key), $0.value) }
  }

  /// Every version, in no order.
  package var allStored: [StoredVersion] {
    [latestVersion] + (latestPublishedVersion.map { [$0] } ?? []) + numbered.values
  }

  // MARK: - Sums

  /// Bytes of all packages.
  package var codeSize: Int { allStored.reduce(0) { $0 + $1.codeSize } }

  /// Concurrency that other functions cannot use.
  package var concurrencySetAside: Int { reserved ?? provisionedTotal }

  /// The function's reserved concurrency; nil if it shares the account's.
  package var reserved: Int? { reservedConcurrency[""]?.executions }
}
