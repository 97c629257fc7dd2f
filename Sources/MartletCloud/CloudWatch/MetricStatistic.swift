// The names of statistics: `Sum`, `p99.9`, `TM(10%:90%)`, `PR(:300)` and the like.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
import MartletCore

enum MetricStatistic: Sendable, Equatable {
  enum Bound: Sendable, Equatable {
    /// 0 to 1, of the values.
    case fraction(Double)
    case value(Double)
  }

  case sampleCount, average, sum, minimum, maximum
  /// 0 to 100.
  case percentile(Double)
  case trimmedMean(Bound?, Bound?)
  case winsorizedMean(Bound?, Bound?)
  case trimmedCount(Bound?, Bound?)
  case trimmedSum(Bound?, Bound?)
  case percentileRank(Bound?, Bound?)

  /// nil if there is no such statistic.
  init?(_ name: String) {
    switch name {
    case "SampleCount": self = .sampleCount
    case "Average": self = .average
    case "Sum": self = .sum
    case "Minimum": self = .minimum
    case "Maximum": self = .maximum
    case "IQM": self = .trimmedMean(.fraction(0.25), .fraction(0.75))
    default:
      if let open = name.firstIndex(of: "("), name.hasSuffix(")") {
        let inside = name[name.index(after: open)...].dropLast()
        guard let bounds = MetricStatistic.bounds(inside),
          let made = MetricStatistic.ranged(name[..<open].lowercased(), bounds)
        else { return nil }
        self = made
      } else {
        guard let made = MetricStatistic.short(name.lowercased()) else { return nil }
        self = made
      }
    }
  }

  /// `p99`, `tm90` and the like: up to that percentile.
  private static func short(_ name: String) -> MetricStatistic? {
    let letters = name.prefix { $0.isLetter }
    let digits = name.dropFirst(letters.count)
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits),
      (0...100).contains(number)
    else { return nil }
    if letters == "p" { return .percentile(number) }
    return letters == "pr" ? nil : ranged(String(letters), (nil, .fraction(number / 100)))
  }

  private static func ranged(_ name: String, _ bounds: (low: Bound?, high: Bound?)) -> MetricStatistic? {
    switch name {
    case "tm": .trimmedMean(bounds.low, bounds.high)
    case "wm": .winsorizedMean(bounds.low, bounds.high)
    case "tc": .trimmedCount(bounds.low, bounds.high)
    case "ts": .trimmedSum(bounds.low, bounds.high)
    case "pr": isOfValues(bounds.low) && isOfValues(bounds.high) ? .percentileRank(bounds.low, bounds.high) : nil
    default: nil
    }
  }

  private static func isOfValues(_ bound: Bound?) -> Bool { if case .fraction? = bound { false } else { true } }

  /// `10%:90%`, `:300`, `5:`.
  private static func bounds(_ text: Substring) -> (low: Bound?, high: Bound?)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, !(parts[0].isEmpty && parts[1].isEmpty) else { return nil }
    var bounds: [Bound?] = []
    for part in parts {
      if part.isEmpty {
        bounds.append(nil)
      } else if part.hasSuffix("%") {
        guard let number = Double(part.dropLast()), (0...100).contains(number) else { return nil }
        bounds.append(.fraction(number / 100))
      } else {
        guard let number = Double(part) else { return nil }
        bounds.append(.value(number))
      }
    }
    // Fractions and values cannot be mixed.
    if let low = bounds[0], let high = bounds[1], isOfValues(low) != isOfValues(high) { return nil }
    return (bounds[0], bounds[1])
  }
}
