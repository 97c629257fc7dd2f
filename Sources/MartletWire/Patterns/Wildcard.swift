// `wildcard` in an event pattern: a text in which `*` stands for any characters, and `\*` and `\\` for themselves.

package struct Wildcard: Sendable, Equatable {
  package struct Flaw: Error { package let reason: String }

  /// The texts between the stars; there is one star less than there are texts.
  private let parts: [[UInt8]]

  package init(_ text: String) throws(Flaw) {
    var parts: [[UInt8]] = [[]]
    var isEscaped = false
    var wasStar = false
    for (position, byte) in text.utf8.enumerated() {
      if isEscaped {
        guard byte == UInt8(ascii: "*") || byte == UInt8(ascii: "\\") else {
          throw Flaw(reason: "Invalid escape character at pos \(position - 1)")
        }
        parts[parts.count - 1].append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "*") {
        if wasStar { throw Flaw(reason: "Consecutive wildcard characters at pos \(position - 1)") }
        parts.append([])
        wasStar = true
        continue
      } else {
        parts[parts.count - 1].append(byte)
      }
      wasStar = false
    }
    if isEscaped { throw Flaw(reason: "Invalid escape character at pos \(text.utf8.count - 1)") }
    self.parts = parts
  }

  package func matches(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard parts.count > 1 else { return bytes == parts[0] }
    let (first, last) = (parts[0], parts[parts.count - 1])
    guard bytes.count >= first.count + last.count, bytes.starts(with: first),
      bytes.reversed().starts(with: last.reversed())
    else { return false }
    // Each text in between at the first place where it is found: what lies behind has the most room then.
    var start = first.count
    let end = bytes.count - last.count
    for part in parts[1..<(parts.count - 1)] {
      guard let found = Wildcard.find(part, in: bytes[start..<end]) else { return false }
      start = found + part.count
    }
    return true
  }

  private static func find(_ part: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = part.first else { return bytes.startIndex }
    var start = bytes.startIndex
    while start + part.count <= bytes.endIndex {
      if bytes[start] == first, bytes[start..<(start + part.count)].elementsEqual(part) { return start }
      start += 1
    }
    return nil
  }
}
