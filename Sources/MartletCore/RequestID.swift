// Random identifiers: request ids, revision ids.

/// A random (version 4) UUID, printed in lower case as AWS prints its request ids.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(from world: any World) {
    high = world.random() & 0xffff_ffff_ffff_0fff | 0x4000
    low = world.random() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
  }

  /// Parses the 36-character form; nil for anything else.
  package init?(_ text: String) { self.init(text[...]) }

  package init?(_ text: Substring) {
    guard let id = text.withBytes({ RequestID(bytes: $0) }) else { return nil }
    self = id
  }

  /// The same of bytes.
  package init?(bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count == 36, bytes[8] == 45, bytes[13] == 45, bytes[18] == 45, bytes[23] == 45,
      let a = RequestID.number(bytes, 0..<8), let b = RequestID.number(bytes, 9..<13),
      let c = RequestID.number(bytes, 14..<18), let d = RequestID.number(bytes, 19..<23),
      let e = RequestID.number(bytes, 24..<36)
    else { return nil }
    high = a << 32 | b << 16 | c
    low = d << 48 | e
  }

  private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt64? {
    var number: UInt64 = 0
    for position in range {
      let byte = bytes[position]
      let digit: UInt8
      switch byte {
      case 48...57: digit = byte - 48
      case 97...102: digit = byte - 87
      case 65...70: digit = byte - 55
      default: return nil
      }
      number = number << 4 | UInt64(digit)
    }
    return number
  }

  package var description: String {
    String(capacity: 36) { $0.write(self) }
  }
}

/// `count` random lower-case hexadecimal digits.
package func randomHex(_ count: Int, from world: any World) -> String {
  String(unsafeUninitializedCapacity: count) { buffer in
    var word: UInt64 = 0
    for i in 0..<count {
      if i & 15 == 0 { word = world.random() }
      let nibble = UInt8(truncatingIfNeeded: word) & 15
      buffer[i] = nibble < 10 ? 48 + nibble : 87 + nibble
      word >>= 4
    }
    return count
  }
}
