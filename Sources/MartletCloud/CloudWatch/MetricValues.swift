// What is known of a metric in one period: count, sum, extremes, and the values themselves as far as they fit.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
import Glibc
import MartletCore

/// A set of weighted values. Up to `most` different ones are kept as they are; more are put together with their
/// neighbours, so that percentiles are right to about one percent of the value.
struct MetricValues: Sendable, Equatable {
  struct Value: Sendable, Equatable {
    var value: Double
    var weight: Double
  }

  /// Different values that are kept.
  static let most = 150

  private(set) var count = 0.0
  private(set) var sum = 0.0
  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  /// In ascending order. Empty, if only a statistic set was given: percentiles are not known then.
  private(set) var values: [Value] = []
  /// False once a statistic set of several values was added.
  private(set) var hasAllValues = true
  /// How many times 1 % wide the steps are in which values are put together; 0 = they are as they came.
  private var coarseness = 0

  init() {}

  var isEmpty: Bool { count == 0 }
  var average: Double { sum / count }

  mutating func add(_ value: Double, weight: Double = 1) {
    guard weight > 0 else { return }
    note(count: weight, sum: value * weight, minimum: value, maximum: value)
    insert(value, weight)
    if values.count > MetricValues.most { condense() }
  }

  /// Adds what is known only in sum.
  mutating func add(count: Double, sum: Double, minimum: Double, maximum: Double) {
    guard count > 0 else { return }
    note(count: count, sum: sum, minimum: minimum, maximum: maximum)
    if minimum == maximum || count == 1 {
      insert(minimum, count)
      if values.count > MetricValues.most { condense() }
    } else {
      hasAllValues = false
    }
  }

  mutating func merge(_ other: MetricValues) {
    guard !other.isEmpty else { return }
    note(count: other.count, sum: other.sum, minimum: other.minimum, maximum: other.maximum)
    hasAllValues = hasAllValues && other.hasAllValues
    coarseness = max(coarseness, other.coarseness)
    for value in other.values { insert(value.value, value.weight) }
    if values.count > MetricValues.most { condense() }
  }

  private mutating func note(count: Double, sum: Double, minimum: Double, maximum: Double) {
    self.count += count
    self.sum += sum
    self.minimum = min(self.minimum, minimum)
    self.maximum = max(self.maximum, maximum)
  }

  private mutating func insert(_ value: Double, _ weight: Double) {
    let value = coarseness == 0 ? value : rounded(value)
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if values[middle].value < value { low = middle + 1 } else { high = middle }
    }
    if low < values.count, values[low].value == value {
      values[low].weight += weight
    } else {
      values.insert(Value(value: value, weight: weight), at: low)
    }
  }

  /// To the middle of a step whose width is `coarseness` percent of the value.
  private func rounded(_ value: Double) -> Double {
    guard value != 0, value.isFinite else { return value }
    let base = 1 + 0.01 * Double(coarseness)
    let step = (log(abs(value)) / log(base)).rounded()
    return pow(base, step) * (value < 0 ? -1 : 1)
  }

  private mutating func condense() {
    while values.count > MetricValues.most {
      coarseness = coarseness == 0 ? 1 : coarseness * 2
      let all = values
      values = []
      for value in all { insert(value.value, value.weight) }
    }
  }
}

// MARK: - Statistics

extension MetricValues {
  /// The value below which `fraction` of the weight lies: the smallest one that enough others do not exceed.
  func quantile(_ fraction: Double) -> Double? {
    guard hasAllValues, let last = values.last else { return nil }
    let wanted = fraction * count
    var passed = 0.0
    for value in values {
      passed += value.weight
      if passed >= wanted - 1e-9 { return min(max(value.value, minimum), maximum) }
    }
    return min(last.value, maximum)
  }

  /// The values between two bounds. A bound is a fraction of the weight or a value; nil = there is none.
  func trimmed(_ low: MetricStatistic.Bound?, _ high: MetricStatistic.Bound?) -> [Value] {
    var kept: [Value] = []
    var passed = 0.0
    for value in values {
      let (begin, end) = (passed, passed + value.weight)
      passed = end
      var weight = value.weight
      switch low {
      case .fraction(let f)?: weight -= max(0, min(end, f * count) - begin)
      case .value(let v)? where value.value <= v: weight = 0
      default: break
      }
      switch high {
      case .fraction(let f)?: weight -= max(0, end - max(begin, f * count))
      case .value(let v)? where value.value > v: weight = 0
      default: break
      }
      if weight > 1e-9 { kept.append(Value(value: value.value, weight: weight)) }
    }
    return kept
  }

  /// nil if it is not known: of no values, or of a percentile of statistic sets.
  func statistic(_ statistic: MetricStatistic) -> Double? {
    guard !isEmpty else { return nil }
    switch statistic {
    case .sampleCount: return count
    case .sum: return sum
    case .average: return average
    case .minimum: return minimum
    case .maximum: return maximum
    case .percentile(let p): return quantile(p / 100)
    case .trimmedMean(let low, let high):
      guard hasAllValues else { return nil }
      let kept = trimmed(low, high)
      let weight = kept.reduce(0) { $0 + $1.weight }
      return weight == 0 ? nil : kept.reduce(0) { $0 + $1.value * $1.weight } / weight
    case .trimmedSum(let low, let high):
      return hasAllValues ? trimmed(low, high).reduce(0) { $0 + $1.value * $1.weight } : nil
    case .trimmedCount(let low, let high):
      return hasAllValues ? trimmed(low, high).reduce(0) { $0 + $1.weight } : nil
    case .percentileRank(let low, let high):
      guard hasAllValues else { return nil }
      return trimmed(low, high).reduce(0) { $0 + $1.weight } / count * 100
    case .winsorizedMean(let low, let high):
      guard hasAllValues, let bottom = edge(low) ?? values.first?.value, let top = edge(high) ?? values.last?.value
      else { return nil }
      return values.reduce(0) { $0 + min(max($1.value, bottom), top) * $1.weight } / count
    }
  }

  private func edge(_ bound: MetricStatistic.Bound?) -> Double? {
    switch bound {
    case .fraction(let f)?: quantile(f)
    case .value(let v)?: v
    case nil: nil
    }
  }
}

// MARK: - On disk

extension MetricValues {
  /// Doubles, eight bytes each: count, sum, minimum, maximum, coarseness (negative if values are missing), then value
  /// and weight of each.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(40 + 16 * values.count)
    func append(_ number: Double) { withUnsafeBytes(of: number.bitPattern.bigEndian) { bytes.append(contentsOf: $0) } }
    append(count)
    append(sum)
    append(minimum)
    append(maximum)
    append(hasAllValues ? Double(coarseness) : -1 - Double(coarseness))
    for value in values {
      append(value.value)
      append(value.weight)
    }
    return bytes
  }

  /// nil if these are no such bytes.
  init?(bytes: [UInt8]) {
    guard bytes.count >= 40, bytes.count % 16 == 8 else { return nil }
    let numbers = stride(from: 0, to: bytes.count, by: 8).map { start in
      Double(bitPattern: bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    guard let steps = Int(exactly: numbers[4]) else { return nil }
    (count, sum, minimum, maximum) = (numbers[0], numbers[1], numbers[2], numbers[3])
    hasAllValues = steps >= 0
    coarseness = steps >= 0 ? steps : -1 - steps
    values = stride(from: 5, to: numbers.count, by: 2).map { Value(value: numbers[$0], weight: numbers[$0 + 1]) }
  }
}
