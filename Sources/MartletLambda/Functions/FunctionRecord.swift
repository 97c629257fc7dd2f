// A function with all of its versions: the unit that is changed, stored and published at once.
import MartletCore

/// Names a function within the server.
package typealias FunctionKey = ResourceKey

package struct FunctionRecord: Sendable {
  /// `$LATEST`.
  package var latest: FunctionConfiguration
  /// What `$LATEST` runs while an update of it is in progress.
  package var serving: FunctionConfiguration?
  /// Published versions by number.
  package var published: [Int: FunctionConfiguration] = [:]
  /// `$LATEST.PUBLISHED`.
  package var latestPublished: FunctionConfiguration?
  /// The number that the next published version gets. Numbers are never used twice.
  package var nextVersion = 1
  package var tags: [(key: String, value: String)] = []

  // What is attached (FunctionRecord+Attachments.swift), by qualifier; "" is the function itself.
  package var aliases: [String: Alias] = [:]
  package var reservedConcurrency: [String: ReservedConcurrency] = [:]
  package var provisioned: [String: ProvisionedConcurrencyConfig] = [:]

  package init(latest: FunctionConfiguration) { self.latest = latest }

  package var key: FunctionKey { FunctionKey(place: latest.place, name: latest.name) }

  /// The configuration of a version as the API shows it.
  package func configuration(_ version: VersionName) -> FunctionConfiguration? {
    switch version {
    case .latest: latest
    case .latestPublished: latestPublished
    case .number(let n): published[n]
    }
  }

  /// What an invocation of a version runs.
  package func invocable(_ version: VersionName) -> FunctionConfiguration? {
    version == .latest ? serving ?? latest : configuration(version)
  }

  /// Bytes of all packages.
  package var codeSize: Int { published.values.reduce(latest.code.size) { $0 + $1.code.size } }

  /// Concurrency that other functions cannot use.
  package var concurrencySetAside: Int { reserved ?? provisionedTotal }

  /// The function's reserved concurrency; nil if it shares the account's.
  package var reserved: Int? { reservedConcurrency[""]?.executions }

  /// Every version, `$LATEST` first, then by number.
  package var versions: [FunctionConfiguration] {
    [latest] + (latestPublished.map { [$0] } ?? []) + published.sorted { $0.key < $1.key }.map(\.value)
  }
}
