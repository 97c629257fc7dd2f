// Spans of time as people write them: `90s`, `2m`, `1h30m`, `7d`, `500ms`; a bare number is seconds.

extension Duration {
  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000), ("w", 604_800_000_000_000), ("y", 31_536_000_000_000_000),
  ]

  /// nil for anything else, and beyond 200 years. No `init`: one would make the optimiser build take `timespec` for a
  /// type of another module in every file of this one.
  package static func parse(_ text: String) -> Duration? {
    var rest = text[...]
    var sum: Int64 = 0
    while !rest.isEmpty || text.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let word = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(word.count)
      let isBare = word.isEmpty && digits.count == text.count
      guard let count = Int64(digits), let unit = Duration.units.first(where: { $0.name == (isBare ? "s" : word) })
      else { return nil }
      let (part, tooLong) = count.multipliedReportingOverflow(by: unit.nanoseconds)
      let (total, tooMuch) = sum.addingReportingOverflow(part)
      guard !tooLong, !tooMuch, total <= 200 * 31_536_000_000_000_000 else { return nil }
      sum = total
    }
    return .nanoseconds(sum)
  }

  /// Whole nanoseconds; spans beyond 292 years are as good as that.
  package var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (nanoseconds, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if isTooLong { return seconds < 0 ? .min : .max }
    return nanoseconds.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
  }
}
