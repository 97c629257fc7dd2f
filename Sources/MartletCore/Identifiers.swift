// Small words that everybody uses: account, region, ARN, function name, qualifier, byte count.

/// A 12-digit AWS account id.
package struct Account: Hashable, Sendable, CustomStringConvertible {
  package let id: String

  /// nil unless `id` is twelve digits.
  package init?(_ id: some StringProtocol) {
    guard id.utf8.count == 12, id.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    self.id = String(id)
  }

  package var description: String { id }
}

/// An AWS region such as `us-east-1`.
package struct Region: Hashable, Sendable, CustomStringConvertible {
  package let name: String

  /// nil unless `name` has the form of a region: lower-case words and a number, joined by hyphens.
  package init?(_ name: some StringProtocol) {
    guard (3...32).contains(name.utf8.count),
      name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }),
      name.utf8.first.map({ (97...122).contains($0) }) == true, !name.hasSuffix("-")
    else { return nil }
    self.name = String(name)
  }

  package var description: String { name }
}

/// Where something lives: the pair that separates one world of resources from another.
package struct Place: Hashable, Sendable {
  package let account: Account
  package let region: Region

  package init(account: Account, region: Region) {
    self.account = account
    self.region = region
  }
}

/// Names a resource within the server.
package struct ResourceKey: Hashable, Sendable {
  package let place: Place
  package let name: String

  package init(place: Place, name: String) {
    self.place = place
    self.name = name
  }
}

/// `arn:partition:service:region:account:resource`.
package struct ARN: Hashable, Sendable, CustomStringConvertible {
  package let partition: String
  package let service: String
  package let region: String
  package let account: String
  package let resource: String

  package init(service: String, place: Place, resource: String) {
    partition = "aws"
    self.service = service
    region = place.region.name
    account = place.account.id
    self.resource = resource
  }

  /// nil unless the text has six parts and begins with `arn`.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "arn", !parts[5].isEmpty else { return nil }
    partition = String(parts[1])
    service = String(parts[2])
    region = String(parts[3])
    account = String(parts[4])
    resource = String(parts[5])
  }

  package var description: String { "arn:\(partition):\(service):\(region):\(account):\(resource)" }
}

/// A size in bytes.
package struct ByteCount: Hashable, Comparable, Sendable {
  package let bytes: Int

  package init(bytes: Int) { self.bytes = bytes }

  package static func bytes(_ n: Int) -> ByteCount { ByteCount(bytes: n) }
  package static func kibibytes(_ n: Int) -> ByteCount { ByteCount(bytes: n << 10) }
  package static func mebibytes(_ n: Int) -> ByteCount { ByteCount(bytes: n << 20) }
  package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
}
