// Regular expressions over bytes of UTF-8, in time proportional to text and pattern: for filter patterns and queries.
import MartletCore

/// Why a text is no regular expression.
struct RegexFlaw: Error, Equatable {
  let message: String
  /// In bytes of the pattern.
  let offset: Int
}

/// A set of characters. A character is a scalar of UTF-8; a byte that is none counts as one.
struct CharacterSet256: Equatable, Sendable {
  /// One bit for each of the characters below 128.
  var low: (UInt64, UInt64) = (0, 0)
  var ranges: [ClosedRange<UInt32>] = []
  var isNegated = false

  static func == (a: CharacterSet256, b: CharacterSet256) -> Bool {
    a.low == b.low && a.ranges == b.ranges && a.isNegated == b.isNegated
  }

  mutating func insert(_ range: ClosedRange<UInt32>) {
    for value in range.clamped(to: 0...127) where range.contains(value) {
      if value < 64 { low.0 |= 1 << UInt64(value) } else { low.1 |= 1 << UInt64(value - 64) }
    }
    if range.upperBound > 127 { ranges.append(max(128, range.lowerBound)...range.upperBound) }
  }

  mutating func insert(_ text: String) { for scalar in text.unicodeScalars { insert(scalar.value...scalar.value) } }

  mutating func formUnion(_ other: CharacterSet256) {
    low = (low.0 | other.low.0, low.1 | other.low.1)
    ranges += other.ranges
  }

  func contains(_ value: UInt32) -> Bool {
    let isIn: Bool
    if value < 64 {
      isIn = low.0 >> UInt64(value) & 1 == 1
    } else if value < 128 {
      isIn = low.1 >> UInt64(value - 64) & 1 == 1
    } else {
      isIn = ranges.contains { $0.contains(value) }
    }
    return isIn != isNegated
  }

  /// The complement, as a set of its own for the characters of ASCII: what `\D` is within a class.
  var inverted: CharacterSet256 {
    var set = self
    set.low = (~low.0, ~low.1)
    set.ranges = [128...0x10_ffff]
    return set
  }

  static let digits: CharacterSet256 = {
    var set = CharacterSet256()
    set.insert(48...57)
    return set
  }()

  static let words: CharacterSet256 = {
    var set = digits
    set.insert(65...90)
    set.insert(97...122)
    set.insert(95...95)
    return set
  }()

  static let spaces: CharacterSet256 = {
    var set = CharacterSet256()
    set.insert(" \t\n\r\u{b}\u{c}")
    return set
  }()
}

struct LogRegex: Sendable {
  enum Step: Equatable, Sendable {
    case byte(UInt8)
    case set(CharacterSet256)
    /// Any character; of a line end only if `dotMatchesLineEnds`.
    case any(lineEnds: Bool)
    case start
    case end
    case wordBoundary(Bool)
    case save(Int)
    case jump(Int)
    /// The first one is preferred.
    case split(Int, Int)
    case match
  }

  let steps: [Step]
  /// Names of the groups, from 1 on; nil without one.
  let groups: [String?]
  /// Bytes with which a match can begin; nil = any.
  private let first: [Bool]?

  /// - Throws: what is wrong with it, and where.
  init(_ text: String, ignoresCase: Bool = false) throws(RegexFlaw) {
    var parser = LogRegexParser(text, ignoresCase: ignoresCase)
    (steps, groups) = try parser.program()
    first = LogRegex.firstBytes(steps)
  }

  /// The bytes that the program can begin with; nil if it can match nothing, or begins with what is no byte.
  private static func firstBytes(_ steps: [Step]) -> [Bool]? {
    var bytes = [Bool](repeating: false, count: 256)
    var seen = Set<Int>()
    var open = [0]
    while let at = open.popLast() {
      guard seen.insert(at).inserted else { continue }
      switch steps[at] {
      case .byte(let byte): bytes[Int(byte)] = true
      case .set(let set):
        for value in 0..<128 where set.contains(UInt32(value)) { bytes[value] = true }
        for value in 128..<256 { bytes[value] = true }
      case .save: open.append(at + 1)
      case .jump(let to): open.append(to)
      case .split(let a, let b): open += [a, b]
      case .any, .start, .end, .wordBoundary, .match: return nil
      }
    }
    return bytes
  }

  func matches(_ text: UnsafeRawBufferPointer) -> Bool { find(text) != nil }

  func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
  }

  /// The first match: the bounds of the whole and of each group, in bytes; nil for a group that has no part in it.
  func find(_ text: UnsafeRawBufferPointer) -> [Range<Int>?]? {
    var run = Run(program: self, text: text)
    var start = 0
    while start <= text.count {
      if let first {
        while start < text.count, !first[Int(text[start])] { start += 1 }
        if start == text.count { return nil }
      }
      if let saved = run.match(from: start) {
        return (0...groups.count).map { group in
          let (low, high) = (saved[2 * group], saved[2 * group + 1])
          return low >= 0 && high >= low ? low..<high : nil
        }
      }
      if case .start = steps[1], start == 0 { return nil }
      start += 1
    }
    return nil
  }
}

/// One search: what was tried at a place and did not lead anywhere is not tried again.
private struct Run {
  let program: LogRegex
  let text: UnsafeRawBufferPointer
  var tried: [UInt64]

  init(program: LogRegex, text: UnsafeRawBufferPointer) {
    self.program = program
    self.text = text
    tried = [UInt64](repeating: 0, count: (program.steps.count * (text.count + 1) + 63) / 64)
  }

  private mutating func isNew(_ at: Int, _ position: Int) -> Bool {
    let bit = at * (text.count + 1) + position
    guard tried[bit >> 6] >> UInt64(bit & 63) & 1 == 0 else { return false }
    tried[bit >> 6] |= 1 << UInt64(bit & 63)
    return true
  }

  /// A way that was not taken, or a group's bound as it was before.
  private enum Note {
    case way(Int, Int)
    case saved(Int, Int)
  }

  mutating func match(from start: Int) -> [Int]? {
    var saved = [Int](repeating: -1, count: 2 * (program.groups.count + 1))
    var open: [Note] = [.way(0, start)]
    while let note = open.popLast() {
      guard case .way(var at, var position) = note else {
        if case .saved(let place, let value) = note { saved[place] = value }
        continue
      }
      way: while isNew(at, position) {
        switch program.steps[at] {
        case .byte(let byte):
          guard position < text.count, text[position] == byte else { break way }
          position += 1
          at += 1
        case .set(let set):
          guard let (value, length) = character(at: position), set.contains(value) else { break way }
          position += length
          at += 1
        case .any(let lineEnds):
          guard let (value, length) = character(at: position), lineEnds || value != 10 else { break way }
          position += length
          at += 1
        case .start:
          guard position == 0 else { break way }
          at += 1
        case .end:
          guard position == text.count || (position == text.count - 1 && text[position] == 10) else { break way }
          at += 1
        case .wordBoundary(let wanted):
          guard (isWord(position - 1) != isWord(position)) == wanted else { break way }
          at += 1
        case .save(let place):
          open.append(.saved(place, saved[place]))
          saved[place] = position
          at += 1
        case .jump(let to): at = to
        case .split(let a, let b):
          open.append(.way(b, position))
          at = a
        case .match: return saved
        }
      }
    }
    return nil
  }

  private func isWord(_ position: Int) -> Bool {
    position >= 0 && position < text.count && CharacterSet256.words.contains(UInt32(text[position]))
  }

  private func character(at position: Int) -> (value: UInt32, length: Int)? {
    guard position < text.count else { return nil }
    let lead = text[position]
    if lead < 128 { return (UInt32(lead), 1) }
    let length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
    guard length > 1, position + length <= text.count else { return (0xfffd, 1) }
    var value = UInt32(lead) & (0xff >> UInt32(length + 1))
    for i in 1..<length {
      guard text[position + i] & 0xc0 == 0x80 else { return (0xfffd, 1) }
      value = value << 6 | UInt32(text[position + i] & 0x3f)
    }
    return (value, length)
  }
}
