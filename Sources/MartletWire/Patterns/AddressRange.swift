// `cidr` in an event pattern: the addresses of a network, of either version of IP.
import Glibc

package struct AddressRange: Sendable, Equatable {
  package struct Flaw: Error { package let reason: String }

  /// Four bytes, or sixteen.
  private let network: [UInt8]
  private let bits: Int

  package init(_ text: String) throws(Flaw) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw Flaw(reason: "Malformed CIDR, one '/' required") }
    guard let bits = Int(parts[1]) else { throw Flaw(reason: "Malformed CIDR, mask bits must be an integer") }
    guard bits >= 0 else { throw Flaw(reason: "Malformed CIDR, mask bits must not be negative") }
    guard let network = AddressRange.bytes(String(parts[0])) else {
      throw Flaw(reason: "Nonstandard IP address: \(parts[0])")
    }
    guard bits <= network.count * 8 else {
      throw Flaw(reason: network.count == 4 ? "IPv4 mask bits must be < 32" : "IPv6 mask bits must be < 128")
    }
    self.network = network
    self.bits = bits
  }

  package func contains(_ address: String) -> Bool {
    guard let bytes = AddressRange.bytes(address), bytes.count == network.count else { return false }
    let whole = bits / 8
    guard bytes[..<whole].elementsEqual(network[..<whole]) else { return false }
    let rest = bits % 8
    return rest == 0 || (bytes[whole] ^ network[whole]) >> UInt8(8 - rest) == 0
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    guard !text.utf8.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
    return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
  }
}
