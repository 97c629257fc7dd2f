// Text written and read by bytes, as whatever every invocation passes through is: strings that are put together from
// strings cost several times as much.

/// Writes text into memory that was reserved for it.
package struct TextCursor: ~Copyable {
  private let memory: UnsafeMutableBufferPointer<UInt8>
  package private(set) var count = 0

  /// Writes to the beginning of `memory`, which must outlive it.
  package init(_ memory: UnsafeMutableBufferPointer<UInt8>) { self.memory = memory }

  package mutating func write(_ text: StaticString) {
    write(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  package mutating func write(text: String) {
    if text.utf8.withContiguousStorageIfAvailable({ write($0) }) == nil {
      for byte in text.utf8 { write(byte) }
    }
  }

  package mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
    precondition(bytes.count <= memory.count - count, "more text than memory was reserved for")
    guard let from = bytes.baseAddress, let to = memory.baseAddress else { return }
    (to + count).update(from: from, count: bytes.count)
    count += bytes.count
  }

  package mutating func write(_ byte: UInt8) {
    precondition(count < memory.count, "more text than memory was reserved for")
    memory[count] = byte
    count += 1
  }

  /// In decimal digits.
  package mutating func write(_ number: UInt64) {
    var length = 1
    var bound: UInt64 = 10
    while length < 20, number >= bound {
      length += 1
      if length < 20 { bound *= 10 }
    }
    precondition(length <= memory.count - count, "more text than memory was reserved for")
    var rest = number
    for position in stride(from: count + length - 1, through: count, by: -1) {
      memory[position] = 48 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += length
  }

  package mutating func write(_ number: Int) {
    if number < 0 { write(UInt8(ascii: "-")) }
    write(UInt64(number.magnitude))
  }

  /// The last `digits` hexadecimal digits of a number, in lower case.
  package mutating func write(hex number: UInt64, digits: Int) {
    precondition(digits <= memory.count - count, "more text than memory was reserved for")
    var rest = number
    for position in stride(from: count + digits - 1, through: count, by: -1) {
      let nibble = UInt8(truncatingIfNeeded: rest) & 15
      memory[position] = nibble < 10 ? 48 + nibble : 87 + nibble
      rest >>= 4
    }
    count += digits
  }

  /// The 36 characters of an identifier.
  package mutating func write(_ id: RequestID) {
    write(hex: id.high >> 32, digits: 8)
    write(UInt8(ascii: "-"))
    write(hex: id.high >> 16, digits: 4)
    write(UInt8(ascii: "-"))
    write(hex: id.high, digits: 4)
    write(UInt8(ascii: "-"))
    write(hex: id.low >> 48, digits: 4)
    write(UInt8(ascii: "-"))
    write(hex: id.low, digits: 12)
  }
}

extension String {
  /// What `body` writes, at most `capacity` bytes.
  package init(capacity: Int, _ body: (inout TextCursor) -> Void) {
    self.init(unsafeUninitializedCapacity: capacity) { memory in
      var cursor = TextCursor(memory)
      body(&cursor)
      return cursor.count
    }
  }
}

extension StringProtocol {
  /// Lends the UTF-8 of the text, which is copied only if it does not lie in one piece.
  @inlinable package func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    utf8.withContiguousStorageIfAvailable(body) ?? Array(utf8).withUnsafeBufferPointer(body)
  }

  /// True if the text begins with these bytes.
  @inlinable package func begins(with start: StaticString) -> Bool { withBytes { $0.begins(with: start) } }
}

extension UnsafeBufferPointer<UInt8> {
  @inlinable package func begins(with start: StaticString) -> Bool {
    guard count >= start.utf8CodeUnitCount else { return false }
    for i in 0..<start.utf8CodeUnitCount where self[i] != start.utf8Start[i] { return false }
    return true
  }

  /// True if the bytes from `position` on are these, and no more.
  @inlinable package func ends(with end: StaticString, from position: Int) -> Bool {
    count - position == end.utf8CodeUnitCount && UnsafeBufferPointer(rebasing: self[position...]).begins(with: end)
  }
}

/// True if two names of headers are the same, whatever the case of their letters.
package func isSameName(_ a: String, _ b: String) -> Bool {
  guard a.utf8.count == b.utf8.count else { return false }
  return a.withBytes { a in
    b.withBytes { b in
      for i in 0..<a.count where a[i] != b[i] {
        // Letters of ASCII differ from their other case in this bit only.
        let lower = a[i] | 0x20
        guard lower == b[i] | 0x20, (97...122).contains(lower) else { return false }
      }
      return true
    }
  }
}
