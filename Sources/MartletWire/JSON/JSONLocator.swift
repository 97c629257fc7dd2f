// Finds a value's place in a text of JSON, for errors that name it. Only for texts whose grammar was checked.

struct JSONLocator {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// Bytes before the place behind a value's first token (of a text: behind its opening quote), or behind the value.
  /// - Parameter path: positions in the objects and arrays above the value, beginning with the outermost.
  mutating func offset(of path: [Int], isAtEnd: Bool) -> Int {
    skipSpace()
    for step in path { enter(step) }
    if isAtEnd {
      skipValue()
      return position
    }
    switch bytes[position] {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): return position + 1
    default:
      skipValue()
      return position
    }
  }

  /// From the bracket of an object or array to one of its values.
  private mutating func enter(_ step: Int) {
    let isObject = bytes[position] == UInt8(ascii: "{")
    position += 1
    for index in 0...step {
      skipSpace()
      if isObject {
        skipText()
        skipSpace()
        position += 1  // the colon
        skipSpace()
      }
      if index == step { return }
      skipValue()
      skipSpace()
      position += 1  // the comma
    }
  }

  private mutating func skipSpace() { while position < bytes.count, bytes[position] <= 0x20 { position += 1 } }

  private mutating func skipText() {
    position += 1
    while bytes[position] != UInt8(ascii: "\"") { position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1 }
    position += 1
  }

  private mutating func skipValue() {
    var depth = 0
    repeat {
      switch bytes[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        position += 1
      case UInt8(ascii: "\""): skipText()
      case UInt8(ascii: ","), UInt8(ascii: ":"), 0...0x20: position += 1
      default:
        while position < bytes.count, !isDelimiter(bytes[position]) { position += 1 }
      }
    } while depth > 0
  }

  private func isDelimiter(_ byte: UInt8) -> Bool {
    byte <= 0x20 || [UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":")].contains(byte)
  }
}
