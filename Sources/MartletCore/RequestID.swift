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
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 36 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for (i, byte) in text.utf8.enumerated() {
      if i == 8 || i == 13 || i == 18 || i == 23 {
        guard byte == 45 else { return nil }
        continue
      }
      let digit: UInt8
      switch byte {
      case 48...57: digit = byte - 48
      case 97...102: digit = byte - 87
      case 65...70: digit = byte - 55
      default: return nil
      }
      if digits < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
      digits += 1
    }
    (high, low) = words
  }

  package var description: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      var position = 0
      for digit in 0..<32 {
        if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
          buffer[position] = 45
          position += 1
        }
        let word = digit < 16 ? high : low
        let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit & 15))) & 15
        buffer[position] = nibble < 10 ? 48 + nibble : 87 + nibble
        position += 1
      }
      return position
    }
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
