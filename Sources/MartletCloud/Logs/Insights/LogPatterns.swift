// The texts that events have in common: what changes from event to event becomes a token. For the command `pattern`.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Pattern.html
import Glibc

/// Grows as events come; what it holds is bounded, however many there are.
struct LogPatterns {
  enum Word: Hashable {
    case same(String)
    /// What kind of thing changes here, such as `Time`.
    case token(String)
  }

  struct Pattern {
    fileprivate(set) var words: [Word]
    /// What stands before each word, and behind the last.
    let gaps: [String]
    fileprivate(set) var count = 0
    /// In the time that it is compared with.
    fileprivate(set) var earlier = 0
    let severity: String

    /// What has become of it since the time that it is compared with.
    var difference: String {
      if earlier == 0 { return "New pattern" }
      if count == 0 { return "No longer present" }
      return count > earlier ? "Increased" : count < earlier ? "Decreased" : "No change"
    }

    /// `<Time-1> [INFO] Order <Token-2> is paid`
    var text: String {
      var (text, number) = (gaps.first ?? "", 0)
      for (word, gap) in zip(words, gaps.dropFirst()) {
        switch word {
        case .same(let word): text += word
        case .token(let kind):
          number += 1
          text += "<\(kind)-\(number)>"
        }
        text += gap
      }
      return text
    }
  }

  private(set) var patterns: [Pattern] = []
  /// Patterns by what they looked like at first, and all of those that have so many words.
  private var known: [[Word]: Int] = [:]
  private var ofLength: [Int: [Int]] = [:]
  /// Events since the beginning, of the time that is asked for.
  private(set) var count = 0

  /// Bytes of an event that are looked at.
  static let longest = 1500
  /// Patterns, and looks that are remembered.
  static let most = 2000
  /// How much of two texts must be the same, of a hundred.
  private static let likeness = 60

  init() {}

  mutating func add(_ text: String, isEarlier: Bool) {
    if !isEarlier { count += 1 }
    let (words, gaps) = LogPatterns.split(text)
    let place = known[words] ?? find(words)
    if let place {
      if known.count < 8 * LogPatterns.most { known[words] = place }
      if isEarlier { patterns[place].earlier += 1 } else { patterns[place].count += 1 }
      return
    }
    guard patterns.count < LogPatterns.most else { return }
    var made = Pattern(words: words, gaps: gaps, severity: LogPatterns.severity(words))
    if isEarlier { made.earlier = 1 } else { made.count = 1 }
    known[words] = patterns.count
    ofLength[words.count, default: []].append(patterns.count)
    patterns.append(made)
  }

  /// The pattern that is most like some words, made to fit them.
  private mutating func find(_ words: [Word]) -> Int? {
    var best: (place: Int, same: Int)?
    for place in ofLength[words.count] ?? [] {
      let same = zip(patterns[place].words, words).count { $0 == $1 }
      guard same * 100 >= words.count * LogPatterns.likeness, same > best?.same ?? -1 else { continue }
      // A word that says how bad it is never becomes a token.
      if patterns[place].severity == LogPatterns.severity(words) { best = (place, same) }
    }
    guard let best else { return nil }
    for (i, word) in words.enumerated() where patterns[best.place].words[i] != word {
      patterns[best.place].words[i] = .token("Token")
    }
    return best.place
  }

  // MARK: - Words

  private static let separators = Set(" \t\r\n,;()[]{}\"'=<>|".utf8)

  /// Words and what stands between them.
  static func split(_ text: String) -> (words: [Word], gaps: [String]) {
    let bytes = Array(text.utf8.prefix(longest))
    var (words, gaps): ([Word], [String]) = ([], [])
    var at = 0
    while true {
      let start = at
      while at < bytes.count, separators.contains(bytes[at]) { at += 1 }
      gaps.append(String(decoding: bytes[start..<at], as: UTF8.self))
      guard at < bytes.count else { return (words, gaps) }
      let first = at
      while at < bytes.count, !separators.contains(bytes[at]) { at += 1 }
      words.append(word(bytes[first..<at]))
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  /// A word with a digit in it changes from event to event.
  private static func word(_ bytes: ArraySlice<UInt8>) -> Word {
    let text = String(decoding: bytes, as: UTF8.self)
    guard bytes.contains(where: isDigit) else { return .same(text) }
    // Digits as `0`, so that forms can be compared.
    let form = bytes.map { isDigit($0) ? UInt8(ascii: "0") : $0 }
    func looks(like text: String) -> Bool { form.starts(with: text.utf8) }
    if looks(like: "0000-00-00T00:00") { return .token("DateTime") }
    if looks(like: "00:00:00") || form == Array("00:00".utf8) { return .token("Time") }
    if form == Array("0000-00-00".utf8) || form == Array("0000/00/00".utf8) { return .token("Date") }
    if isUUID(bytes) { return .token("UUID") }
    var room = in6_addr()
    if form.contains(UInt8(ascii: ".")) || form.contains(UInt8(ascii: ":")),
      inet_pton(AF_INET, text, &room) == 1 || inet_pton(AF_INET6, text, &room) == 1
    {
      return .token("IP")
    }
    if Double(text) != nil { return .token("Number") }
    return .token("Token")
  }

  private static func isUUID(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count == 36 else { return false }
    return bytes.enumerated().allSatisfy { i, byte in
      [8, 13, 18, 23].contains(i)
        ? byte == UInt8(ascii: "-") : isDigit(byte) || (97...102).contains(byte | 0x20)
    }
  }

  private static let severities = [
    "FATAL": "FATAL", "CRITICAL": "CRITICAL", "ERROR": "ERROR", "SEVERE": "ERROR", "WARN": "WARN", "WARNING": "WARN",
    "INFO": "INFO", "DEBUG": "DEBUG", "TRACE": "TRACE",
  ]

  /// How bad it is, by the first word that says so.
  static func severity(_ words: [Word]) -> String {
    for case .same(let word) in words {
      let letters = word.uppercased().filter(\.isLetter)
      if let severity = severities[letters] { return severity }
    }
    return "NONE"
  }

  // MARK: - Results

  /// The patterns, the most frequent first.
  var sorted: [Pattern] {
    patterns.sorted { ($1.count, $1.earlier, $0.text) < ($0.count, $0.earlier, $1.text) }
  }
}
