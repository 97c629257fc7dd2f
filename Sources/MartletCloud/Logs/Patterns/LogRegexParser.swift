// From the text of a regular expression to its steps: alternatives, groups (also named), classes, repetitions.
import MartletCore

struct LogRegexParser {
  private indirect enum Node {
    case empty
    case step(LogRegex.Step)
    case sequence([Node])
    case choice([Node])
    case group(Int, Node)
    case repetition(Node, low: Int, high: Int?, isGreedy: Bool)
  }

  private let text: [UInt8]
  private var position = 0
  private var ignoresCase: Bool
  private var groups: [String?] = []
  private var steps: [LogRegex.Step] = []
  private var depth = 0

  /// Programs and nesting have bounds, so that no pattern can take the server's memory or stack.
  private static let largest = 20_000
  private static let deepest = 100

  init(_ text: String, ignoresCase: Bool) {
    self.text = Array(text.utf8)
    self.ignoresCase = ignoresCase
  }

  mutating func program() throws(RegexFlaw) -> (steps: [LogRegex.Step], groups: [String?]) {
    if text.starts(with: "(?i)".utf8) {
      ignoresCase = true
      position = 4
    }
    let node = try alternatives()
    guard position == text.count else { throw flaw("Unmatched closing ')'") }
    steps = [.save(0)]
    try emit(node)
    steps += [.save(1), .match]
    return (steps, groups)
  }

  private func flaw(_ message: String) -> RegexFlaw { RegexFlaw(message: message, offset: min(position, text.count)) }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func take(_ character: Character) -> Bool {
    guard let byte = character.asciiValue, next == byte else { return false }
    position += 1
    return true
  }

  // MARK: - Reading

  private mutating func alternatives() throws(RegexFlaw) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= LogRegexParser.deepest else { throw flaw("The expression is nested too deeply") }
    var choices = [try sequence()]
    while take("|") { choices.append(try sequence()) }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence() throws(RegexFlaw) -> Node {
    var nodes: [Node] = []
    while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      nodes.append(try repeated(try atom()))
    }
    return nodes.isEmpty ? .empty : .sequence(nodes)
  }

  private mutating func repeated(_ node: Node) throws(RegexFlaw) -> Node {
    var node = node
    while let byte = next {
      let low: Int
      let high: Int?
      switch byte {
      case UInt8(ascii: "*"): (low, high) = (0, nil)
      case UInt8(ascii: "+"): (low, high) = (1, nil)
      case UInt8(ascii: "?"): (low, high) = (0, 1)
      case UInt8(ascii: "{"):
        guard let bounds = try bounds() else { return node }
        (low, high) = bounds
        position -= 1
      default: return node
      }
      position += 1
      let isLazy = take("?")
      node = .repetition(node, low: low, high: high, isGreedy: !isLazy)
    }
    return node
  }

  /// `{2}`, `{2,}`, `{2,5}`; nil for a brace that means itself.
  private mutating func bounds() throws(RegexFlaw) -> (Int, Int?)? {
    let start = position
    position += 1
    let low = number()
    var high = low
    if take(",") { high = number() }
    guard let low, take("}") else {
      position = start
      // A brace that begins no repetition is a character.
      return nil
    }
    let isOpen = text[position - 2] == UInt8(ascii: ",")
    guard low <= 1000, (high ?? 0) <= 1000, isOpen || (high ?? low) >= low else {
      throw flaw("Illegal repetition range")
    }
    return (low, isOpen ? nil : high)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let byte = next, (48...57).contains(byte), (value ?? 0) < 100_000 {
      value = (value ?? 0) * 10 + Int(byte - 48)
      position += 1
    }
    return value
  }

  private mutating func atom() throws(RegexFlaw) -> Node {
    let byte = text[position]
    position += 1
    switch byte {
    case UInt8(ascii: "("): return try group()
    case UInt8(ascii: "["): return .step(.set(try characterClass()))
    case UInt8(ascii: "."): return .step(.any(lineEnds: false))
    case UInt8(ascii: "^"): return .step(.start)
    case UInt8(ascii: "$"): return .step(.end)
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
      position -= 1
      throw flaw("Dangling meta character '\(Character(UnicodeScalar(byte)))'")
    case UInt8(ascii: "\\"): return try escape()
    default: return literal(byte)
    }
  }

  private func literal(_ byte: UInt8) -> Node {
    let isLetter = (65...90).contains(byte & 0xdf) && byte < 128
    guard ignoresCase, isLetter else { return .step(.byte(byte)) }
    var set = CharacterSet256()
    set.insert(UInt32(byte & 0xdf)...UInt32(byte & 0xdf))
    set.insert(UInt32(byte | 0x20)...UInt32(byte | 0x20))
    return .step(.set(set))
  }

  private mutating func group() throws(RegexFlaw) -> Node {
    var number: Int?
    if take("?") {
      if take(":") {
      } else {
        _ = take("P")
        guard take("<"), let name = name() else { throw flaw("Unknown group type") }
        groups.append(name)
        number = groups.count
      }
    } else {
      groups.append(nil)
      number = groups.count
    }
    let node = try alternatives()
    guard take(")") else { throw flaw("Unclosed group") }
    return number.map { .group($0, node) } ?? node
  }

  private mutating func name() -> String? {
    let start = position
    while let byte = next, CharacterSet256.words.contains(UInt32(byte)) { position += 1 }
    let name = String(decoding: text[start..<position], as: UTF8.self)
    return take(">") && !name.isEmpty ? name : nil
  }

  private mutating func escape() throws(RegexFlaw) -> Node {
    guard let byte = next else { throw flaw("Unexpected end after '\\'") }
    if byte == UInt8(ascii: "b") || byte == UInt8(ascii: "B") {
      position += 1
      return .step(.wordBoundary(byte == UInt8(ascii: "b")))
    }
    if let set = try namedSet() { return .step(.set(set)) }
    let value = try escapedCharacter()
    return value < 128
      ? literal(UInt8(value)) : .sequence(utf8(value).map { .step(.byte($0)) })
  }

  private func utf8(_ value: UInt32) -> [UInt8] {
    Array(String(Character(UnicodeScalar(value) ?? "\u{fffd}")).utf8)
  }

  /// `\d` and its like, behind the backslash.
  private mutating func namedSet() throws(RegexFlaw) -> CharacterSet256? {
    let set: CharacterSet256
    switch next.map({ Character(UnicodeScalar($0)) }) {
    case "d": set = .digits
    case "D": set = CharacterSet256.digits.inverted
    case "w": set = .words
    case "W": set = CharacterSet256.words.inverted
    case "s": set = .spaces
    case "S": set = CharacterSet256.spaces.inverted
    default: return nil
    }
    position += 1
    return set
  }

  /// Behind the backslash.
  private mutating func escapedCharacter() throws(RegexFlaw) -> UInt32 {
    guard let byte = next else { throw flaw("Unexpected end after '\\'") }
    position += 1
    switch Character(UnicodeScalar(byte)) {
    case "n": return 10
    case "r": return 13
    case "t": return 9
    case "f": return 12
    case "x":
      let digits = text[position..<min(position + 2, text.count)]
      guard digits.count == 2, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
        throw flaw("Illegal hexadecimal escape sequence")
      }
      position += 2
      return value
    default:
      guard !CharacterSet256.words.contains(UInt32(byte)) || byte == UInt8(ascii: "_") else {
        throw flaw("Illegal/unsupported escape sequence")
      }
      return UInt32(byte)
    }
  }

  private mutating func characterClass() throws(RegexFlaw) -> CharacterSet256 {
    var set = CharacterSet256()
    set.isNegated = take("^")
    var isFirst = true
    while true {
      guard next != nil else { throw flaw("Unclosed character class") }
      if !isFirst, take("]") { break }
      isFirst = false
      if next == UInt8(ascii: "\\") {
        position += 1
        if let named = try namedSet() {
          set.formUnion(named)
          continue
        }
        position -= 1
      }
      let low = try classMember()
      if next == UInt8(ascii: "-"), position + 1 < text.count, text[position + 1] != UInt8(ascii: "]") {
        position += 1
        let high = try classMember()
        guard low <= high else { throw flaw("Illegal character range") }
        insert(low...high, &set)
      } else {
        insert(low...low, &set)
      }
    }
    return set
  }

  private func insert(_ range: ClosedRange<UInt32>, _ set: inout CharacterSet256) {
    set.insert(range)
    guard ignoresCase else { return }
    let small = range.clamped(to: 97...122)
    if small.overlaps(range) { set.insert((small.lowerBound - 32)...(small.upperBound - 32)) }
    let large = range.clamped(to: 65...90)
    if large.overlaps(range) { set.insert((large.lowerBound + 32)...(large.upperBound + 32)) }
  }

  private mutating func classMember() throws(RegexFlaw) -> UInt32 {
    if take("\\") { return try escapedCharacter() }
    let lead = text[position]
    let length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
    let end = min(position + length, text.count)
    defer { position = end }
    return String(decoding: text[position..<end], as: UTF8.self).unicodeScalars.first?.value ?? 0xfffd
  }

  // MARK: - Writing

  private mutating func emit(_ node: Node) throws(RegexFlaw) {
    guard steps.count < LogRegexParser.largest else { throw flaw("The expression is too large") }
    switch node {
    case .empty: break
    case .step(let step): steps.append(step)
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .group(let number, let node):
      steps.append(.save(2 * number))
      try emit(node)
      steps.append(.save(2 * number + 1))
    case .choice(let nodes):
      var ends: [Int] = []
      for node in nodes.dropLast() {
        let split = steps.count
        steps.append(.match)
        try emit(node)
        ends.append(steps.count)
        steps.append(.match)
        steps[split] = .split(split + 1, steps.count)
      }
      if let last = nodes.last { try emit(last) }
      for end in ends { steps[end] = .jump(steps.count) }
    case .repetition(let node, let low, let high, let isGreedy):
      for _ in 0..<low { try emit(node) }
      if let high {
        var splits: [Int] = []
        for _ in 0..<max(0, high - low) {
          splits.append(steps.count)
          steps.append(.match)
          try emit(node)
        }
        for split in splits { steps[split] = branch(split + 1, steps.count, isGreedy) }
      } else {
        let split = steps.count
        steps.append(.match)
        try emit(node)
        steps.append(.jump(split))
        steps[split] = branch(split + 1, steps.count, isGreedy)
      }
    }
  }

  private func branch(_ inside: Int, _ behind: Int, _ isGreedy: Bool) -> LogRegex.Step {
    isGreedy ? .split(inside, behind) : .split(behind, inside)
  }
}
