// A range of IP addresses: `10.0.0.0/8` or `2001:db8::/32`.
import Glibc

struct AddressBlock: Sendable, Equatable {
  struct Address: Sendable, Equatable {
    /// Four of them, or sixteen.
    let bytes: [UInt8]

    /// nil unless the text is an address.
    init?(_ text: String) {
      var four = in_addr()
      var six = in6_addr()
      if inet_pton(AF_INET, text, &four) == 1 {
        bytes = withUnsafeBytes(of: &four) { Array($0) }
      } else if inet_pton(AF_INET6, text, &six) == 1 {
        bytes = withUnsafeBytes(of: &six) { Array($0) }
      } else {
        return nil
      }
    }
  }

  let address: Address
  /// Bits from the left that count.
  let length: Int

  /// nil if an address has fewer bits.
  init?(_ address: Address, length: Int) {
    guard (0...address.bytes.count * 8).contains(length) else { return nil }
    self.address = address
    self.length = length
  }

  func contains(_ other: Address) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    let whole = length / 8
    guard other.bytes.prefix(whole) == address.bytes.prefix(whole) else { return false }
    guard length % 8 != 0 else { return true }
    let mask = UInt8(truncatingIfNeeded: 0xff00 >> (length % 8))
    return other.bytes[whole] & mask == address.bytes[whole] & mask
  }
}
