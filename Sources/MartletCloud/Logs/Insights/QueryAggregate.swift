// What `stats` makes of many rows: counts, sums, percentiles.
import MartletCore

enum QueryAggregateKind: String, Sendable, CaseIterable {
  case count
  case countDistinct = "count_distinct"
  case sum, avg, min, max, pct, stddev, median, earliest, latest, sortsfirst, sortslast

  /// Without an argument only `count` means something.
  var arity: ClosedRange<Int> { self == .count ? 0...1 : self == .pct ? 2...2 : 1...1 }
}

/// One aggregation of a `stats` command.
struct QueryAggregate: Sendable {
  let kind: QueryAggregateKind
  /// nil = all rows.
  let argument: QueryExpression?
  /// Of `pct`.
  let percentile: Double
}

/// What an aggregation has seen so far.
struct QueryTally: Sendable {
  private var count = 0
  private var sum = 0.0
  /// For the standard deviation: mean and squares, by Welford's method.
  private var mean = 0.0
  private var squares = 0.0
  private var extreme = QueryValue.null
  private var moment: Int64?
  private var values: [Double] = []
  private var distinct: Set<String> = []

  mutating func add(_ value: QueryValue, _ kind: QueryAggregateKind, isAll: Bool, at time: Int64) {
    switch kind {
    case .count: if isAll || value != .null { count += 1 }
    case .countDistinct: if let text = value.shown { distinct.insert(text) }
    case .sum, .avg, .stddev, .pct, .median:
      guard let number = value.number else { return }
      add(number, kind)
    case .min, .sortsfirst:
      if value != .null, extreme == .null || QueryValue.sortsBefore(value, extreme, isDescending: false) {
        extreme = value
      }
    case .max, .sortslast:
      if value != .null, extreme == .null || QueryValue.sortsBefore(value, extreme, isDescending: true) {
        extreme = value
      }
    case .earliest: if value != .null, moment.map({ time < $0 }) ?? true { (extreme, moment) = (value, time) }
    case .latest: if value != .null, moment.map({ time >= $0 }) ?? true { (extreme, moment) = (value, time) }
    }
  }

  private mutating func add(_ number: Double, _ kind: QueryAggregateKind) {
    count += 1
    sum += number
    if kind == .pct || kind == .median { values.append(number) }
    if kind == .stddev {
      let delta = number - mean
      mean += delta / Double(count)
      squares += delta * (number - mean)
    }
  }

  func result(_ aggregate: QueryAggregate) -> QueryValue {
    switch aggregate.kind {
    case .count: .number(Double(count))
    case .countDistinct: .number(Double(distinct.count))
    case .sum: count == 0 ? .null : .number(sum)
    case .avg: count == 0 ? .null : .number(sum / Double(count))
    case .stddev: count == 0 ? .null : .number((squares / Double(Swift.max(1, count))).squareRoot())
    case .pct: percentile(aggregate.percentile)
    case .median: percentile(50)
    case .min, .max, .earliest, .latest, .sortsfirst, .sortslast: extreme
    }
  }

  /// Between the two nearest ranks.
  private func percentile(_ percent: Double) -> QueryValue {
    guard !values.isEmpty else { return .null }
    let sorted = values.sorted()
    let rank = percent / 100 * Double(sorted.count - 1)
    let low = Int(rank.rounded(.down))
    let high = Swift.min(low + 1, sorted.count - 1)
    return .number(sorted[low] + (sorted[high] - sorted[low]) * (rank - Double(low)))
  }
}
