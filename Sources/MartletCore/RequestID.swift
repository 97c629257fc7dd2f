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
  package init?(_ text: String) { self.init(utf8: text[...].utf8) }

  package init?(_ text: Substring) { self.init(utf8: text.utf8) }

  /// Every invocation passes here, so it goes over bytes.
  private init?(utf8: Substring.UTF8View) {
    let words = utf8.withContiguousStorageIfAvailable { RequestID.words($0) } ?? RequestID.words(Array(utf8))
    guard let words else { return nil }
    (high, low) = words
  }

  private static func words(_ text: some RandomAccessCollection<UInt8>) -> (UInt64, UInt64)? {
    guard text.count == 36 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    var digits = 0
    var position = 0
    for byte in text {
      defer { position += 1 }
      if position == 8 || position == 13 || position == 18 || position == 23 {
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
    return words
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
