// Where a server listens, as an endpoint URL says it.

package struct HTTPAddress: Sendable, Hashable, CustomStringConvertible {
  package let isSecure: Bool
  /// A name, or an address without its brackets.
  package let host: String
  package let port: Int

  /// Reads `http://HOST`, `https://HOST:PORT`, `http://[::1]:9000/`; nil for everything else, as one with a path.
  package init?(_ text: String) {
    guard let mark = text.firstIndex(of: ":"), text[mark...].hasPrefix("://") else { return nil }
    switch text[..<mark].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    default: return nil
    }
    var rest = text[text.index(mark, offsetBy: 3)...]
    if rest.last == "/" { rest = rest.dropLast() }
    var portText: Substring?
    if rest.first == "[" {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      host = String(rest[rest.index(after: rest.startIndex)..<end])
      let after = rest[rest.index(after: end)...]
      if !after.isEmpty {
        guard after.first == ":" else { return nil }
        portText = after.dropFirst()
      }
    } else {
      let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
      guard (1...2).contains(parts.count) else { return nil }
      host = String(parts[0])
      portText = parts.count == 2 ? parts[1] : nil
    }
    let isHost = host.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (97...122).contains(byte) || (65...90).contains(byte)
        || [45, 46, 58, 95].contains(byte)
    }
    guard !host.isEmpty, isHost else { return nil }
    if let portText {
      guard let number = Int(portText), (1...65_535).contains(number) else { return nil }
      port = number
    } else {
      port = isSecure ? 443 : 80
    }
  }

  /// As a `Host` header has it: the port only where it is not the usual one.
  package var hostHeader: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? shown : "\(shown):\(port)"
  }

  package var description: String { "\(isSecure ? "https" : "http")://\(hostHeader)" }
}
