// How far the clocks of a time zone are ahead of UTC, and when that changes: what a TZif file says (RFC 9636).

/// A time zone with its daylight saving. Pure: who reads the file is TimeZones.swift.
package struct TimeZoneRules: Sendable, Equatable {
  /// From a moment on, the clocks are so many seconds ahead of UTC.
  struct Transition: Sendable, Equatable {
    let at: Int64
    let offset: Int64
  }

  private let first: Int64
  /// In order.
  private let transitions: [Transition]
  /// What holds after the last transition.
  private let rule: YearlyRule?

  package static let utc = TimeZoneRules(first: 0, transitions: [], rule: nil)

  init(first: Int64, transitions: [Transition], rule: YearlyRule?) {
    (self.first, self.transitions, self.rule) = (first, transitions, rule)
  }

  // MARK: - Clocks

  /// Seconds that the clocks are ahead of UTC at a moment, which is given in seconds since 1970.
  package func offset(at moment: Int64) -> Int64 {
    guard let last = transitions.last else { return rule?.offset(at: moment) ?? first }
    if moment >= last.at { return rule?.offset(at: moment) ?? last.offset }
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].at <= moment { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : transitions[low - 1].offset
  }

  /// What the clocks show at a moment.
  package func civil(at moment: Int64) -> CivilTime { CivilTime(seconds: moment + offset(at: moment)) }

  /// When the clocks show `civil` for the first time, in seconds since 1970; nil if they are put forward over it.
  package func moment(of civil: CivilTime) -> Int64? {
    let local = civil.seconds
    // Clocks differ from UTC by less than a day and a quarter, and the offsets on either side are the candidates.
    let before = offset(at: local - TimeZoneRules.span)
    let after = offset(at: local + TimeZoneRules.span)
    for offset in before == after ? [before] : [max(before, after), min(before, after)]
    where self.offset(at: local - offset) == offset {
      return local - offset
    }
    // Two changes within the span, or an offset in between.
    return candidates(around: local).map { local - $0 }.filter { offset(at: $0) + $0 == local }.min()
  }

  /// The same, and what the clocks would have shown had they not been put forward.
  package func momentOrNext(of civil: CivilTime) -> Int64 {
    moment(of: civil) ?? civil.seconds - offset(at: civil.seconds - TimeZoneRules.span)
  }

  private static let span: Int64 = 26 * 3600

  private func candidates(around local: Int64) -> Set<Int64> {
    var offsets: Set<Int64> = [offset(at: local - TimeZoneRules.span)]
    for transition in transitions
    where transition.at > local - TimeZoneRules.span && transition.at <= local + TimeZoneRules.span {
      offsets.insert(transition.offset)
    }
    if let rule { offsets.formUnion([rule.standard, rule.daylight?.offset ?? rule.standard]) }
    return offsets
  }
}

// MARK: - The file

extension TimeZoneRules {
  /// Reads a TZif file of any version; nil for what is none, or is damaged.
  package init?(tzif bytes: [UInt8]) {
    var reader = TZifReader(bytes: bytes)
    guard let header = reader.header() else { return nil }
    if header.version == 0 {
      guard let block = reader.block(header, wide: false) else { return nil }
      self.init(first: block.first, transitions: block.transitions, rule: nil)
      return
    }
    // The first block is for old programs.
    guard reader.skip(header), let wide = reader.header(), let block = reader.block(wide, wide: true) else {
      return nil
    }
    let footer = reader.footer() ?? ""
    let rule = footer.isEmpty ? nil : YearlyRule(footer)
    guard footer.isEmpty || rule != nil else { return nil }
    self.init(first: block.first, transitions: block.transitions, rule: rule)
  }
}

private struct TZifReader {
  struct Header {
    let version: UInt8
    /// isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
    let counts: [Int]
    func length(timeSize: Int) -> Int {
      counts[3] * (timeSize + 1) + counts[4] * 6 + counts[5] + counts[2] * (timeSize + 4) + counts[1] + counts[0]
    }
  }

  let bytes: [UInt8]
  var position = 0

  private static let longest = 1 << 20

  mutating func header() -> Header? {
    guard bytes.count - position >= 44, bytes[position..<position + 4].elementsEqual("TZif".utf8) else { return nil }
    let version = bytes[position + 4]
    let counts = (0..<6).map { Int(number(at: position + 20 + $0 * 4, width: 4)) }
    guard counts.allSatisfy({ (0...TZifReader.longest).contains($0) }), counts[4] > 0 else { return nil }
    position += 44
    return Header(version: version, counts: counts)
  }

  mutating func skip(_ header: Header) -> Bool {
    position += header.length(timeSize: 4)
    return position <= bytes.count
  }

  mutating func block(
    _ header: Header, wide: Bool
  ) -> (first: Int64, transitions: [TimeZoneRules.Transition])? {
    let size = wide ? 8 : 4
    let (times, types) = (header.counts[3], header.counts[4])
    let start = position
    position += header.length(timeSize: size)
    guard position <= bytes.count else { return nil }
    let kinds = start + times * size
    let records = kinds + times
    let offsets = (0..<types).map { number(at: records + $0 * 6, width: 4) }
    guard offsets.allSatisfy({ abs($0) < 26 * 3600 }) else { return nil }
    var transitions: [TimeZoneRules.Transition] = []
    for i in 0..<times {
      let kind = Int(bytes[kinds + i])
      let at = number(at: start + i * size, width: size)
      guard kind < types, transitions.last.map({ $0.at < at }) ?? true else { return nil }
      transitions.append(.init(at: at, offset: offsets[kind]))
    }
    return (offsets[0], transitions)
  }

  /// Between two line ends.
  func footer() -> String? {
    guard position < bytes.count, bytes[position] == 10 else { return nil }
    let rest = bytes[(position + 1)...]
    guard let end = rest.firstIndex(of: 10) else { return nil }
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  /// Big-endian, in two's complement.
  private func number(at start: Int, width: Int) -> Int64 {
    var value: UInt64 = 0
    for byte in bytes[start..<start + width] { value = value << 8 | UInt64(byte) }
    return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
  }
}
