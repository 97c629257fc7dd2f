// The name of an image in a registry, as `Code.ImageUri` gives it: `host[:port]/repository[:tag][@sha256:digest]`.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests

package struct ImageReference: Sendable, Equatable {
  /// With its port, if it has one.
  package let registry: String
  package let repository: String
  package let tag: String?
  /// Lower-case hexadecimal of the manifest's SHA-256.
  package let digest: String?

  /// nil if it is not a name with a registry in it. Nothing that this accepts means anything else to a command line.
  package init?(_ text: String) {
    guard text.utf8.count <= 1024, let slash = text.firstIndex(of: "/") else { return nil }
    registry = String(text[..<slash])
    var rest = text[text.index(after: slash)...]
    if let at = rest.firstIndex(of: "@") {
      let digest = rest[rest.index(after: at)...]
      guard digest.hasPrefix("sha256:"), digest.utf8.count == 7 + 64, ImageReference.isHexadecimal(digest.dropFirst(7))
      else { return nil }
      self.digest = String(digest.dropFirst(7))
      rest = rest[..<at]
    } else {
      digest = nil
    }
    if let colon = rest.lastIndex(of: ":") {
      let tag = rest[rest.index(after: colon)...]
      guard (1...128).contains(tag.utf8.count), tag.utf8.allSatisfy(ImageReference.isTagByte),
        let first = tag.utf8.first, first != 45, first != 46
      else { return nil }
      self.tag = String(tag)
      rest = rest[..<colon]
    } else {
      tag = nil
    }
    repository = String(rest)
    guard ImageReference.isRegistry(registry), ImageReference.isRepository(rest) else { return nil }
  }

  /// What to ask the registry for: a digest says it all, and no tag means `latest`.
  package var asked: String {
    digest.map { "\(registry)/\(repository)@sha256:\($0)" } ?? "\(registry)/\(repository):\(tag ?? "latest")"
  }

  /// The same repository, with a digest.
  package func at(_ digest: String) -> String { "\(registry)/\(repository)@sha256:\(digest)" }

  /// True if the registry is on this host, where nobody listens to what is said.
  package var isLoopback: Bool {
    if registry.hasPrefix("[::1]") { return true }
    let host = registry.split(separator: ":").first ?? ""
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return host == "localhost"
      || (numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil })
  }

  /// `host`, `host:port` or `[v6]:port`; something that is a host for sure, because a bare word names no registry.
  private static func isRegistry(_ text: String) -> Bool {
    var host = text[...]
    if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
      guard UInt16(host[host.index(after: colon)...]) != nil else { return false }
      host = host[..<colon]
    } else if !host.contains("."), host != "localhost", !host.hasPrefix("[") {
      return false
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      return host.dropFirst().dropLast().utf8.allSatisfy { isHexadecimalByte($0) || $0 == 58 }
    }
    return !host.isEmpty
      && host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
          && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 45 }
      }
  }

  /// Lower-case words with single separators, in directories.
  private static func isRepository(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
        guard let first = part.utf8.first, let last = part.utf8.last else { return false }
        return [first, last].allSatisfy { isLetterOrDigit($0) }
          && part.utf8.allSatisfy { (isLetterOrDigit($0) && !(65...90).contains($0)) || [45, 46, 95].contains($0) }
      }
  }

  private static func isTagByte(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || [45, 46, 95].contains(byte) }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }

  private static func isHexadecimalByte(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

  static func isHexadecimal(_ text: Substring) -> Bool { text.utf8.allSatisfy(isHexadecimalByte) }
}
