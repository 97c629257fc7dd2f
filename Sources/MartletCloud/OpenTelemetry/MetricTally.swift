// Values of one of CloudWatch's metrics on their way to a collector: a sum, a gauge or a histogram, and the point that
// it becomes. https://opentelemetry.io/docs/specs/otel/metrics/data-model/
import MartletCore
import MartletWire

struct MetricTally: Sendable {
  enum Kind: Sendable, Equatable {
    case sum
    /// The newest value, or the greatest since the last report.
    case gauge(isGreatest: Bool)
    case histogram
  }

  let kind: Kind
  let bounds: [Double]
  /// When the values that it has began to come.
  private(set) var since: Timestamp
  /// The newest value, for what nobody counts any more.
  private(set) var touched: Timestamp
  private(set) var isFresh = false
  private(set) var count = 0.0
  private(set) var sum = 0.0
  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  private(set) var last = 0.0
  private(set) var buckets: [Double]
  /// A sum with a negative value once was not one that only grows.
  private(set) var hasFallen = false

  init(_ key: MetricSeriesKey, since: Timestamp) {
    kind = MetricTally.kind(key.metric.space, key.metric.name, key.unit)
    bounds = kind == .histogram ? MetricTally.bounds(key.unit) : []
    buckets = [Double](repeating: 0, count: kind == .histogram ? bounds.count + 1 : 0)
    self.since = since
    touched = since
  }

  mutating func add(_ values: CloudWatch.PutMetricData.Datum.Values, at moment: Timestamp) {
    touched = moment
    switch values {
    case .one(let value): add(value, 1)
    case .many(let list): for (value, weight) in list { add(value, weight) }
    case .set(let count, let sum, let low, let high): add(count: count, sum: sum, low, high)
    }
  }

  private mutating func add(_ value: Double, _ weight: Double) {
    guard weight > 0, value.isFinite, weight.isFinite else { return }
    if !isFresh { maximum = kind == .gauge(isGreatest: true) ? -.infinity : maximum }
    isFresh = true
    count += weight
    sum += value * weight
    minimum = min(minimum, value)
    maximum = max(maximum, value)
    last = value
    if value < 0 { hasFallen = true }
    if kind == .histogram { buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += weight }
  }

  /// Of values of which only this much is known: the extremes are put where they were, the others at their mean.
  private mutating func add(count: Double, sum: Double, _ low: Double, _ high: Double) {
    if count <= 1 || low == high { return add(count == 0 ? 0 : sum / count, count) }
    add(low, 1)
    if count > 2 { add((sum - low - high) / (count - 2), count - 2) }
    add(high, 1)
    // What the parts do not add up to, because a count need not be whole.
    let parts = low + high + (count > 2 ? sum - low - high : 0)
    self.sum += sum - parts
  }

  /// A report was made. A gauge is told once; with `isDelta` all begins anew.
  mutating func reported(at moment: Timestamp, isDelta: Bool) {
    isFresh = false
    guard isDelta else { return }
    since = moment
    (count, sum, minimum, maximum) = (0, 0, .infinity, -.infinity)
    for index in buckets.indices { buckets[index] = 0 }
  }

  /// True if a report has something to say of it.
  func isTold(isDelta: Bool) -> Bool {
    switch kind {
    case .gauge: isFresh
    case .sum, .histogram: isFresh || (!isDelta && count > 0)
    }
  }

  // MARK: - What a metric is

  /// Lambda's are known; what others call a count is a sum, times and sizes have distributions, the rest is as it is.
  static func kind(_ space: String, _ name: String, _ unit: String) -> Kind {
    if space == "AWS/Lambda", name.contains("Concurren"), !name.hasSuffix("Invocations") {
      return .gauge(isGreatest: true)
    }
    if unit == "Count" { return .sum }
    return unit == "None" || unit == "Percent" || unit.hasSuffix("/Second") ? .gauge(isGreatest: false) : .histogram
  }

  /// Those that OpenTelemetry's SDKs have for milliseconds; of sizes, powers of four.
  private static func bounds(_ unit: String) -> [Double] {
    let times: [Double] = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]
    switch unit {
    case "Seconds": return times.map { $0 / 1000 }
    case "Milliseconds": return times
    case "Microseconds": return times.map { $0 * 1000 }
    default: return [0] + (0...15).map { Double(1 << (2 * $0)) }
    }
  }

  /// CloudWatch's units as UCUM has them.
  static func unit(_ unit: String) -> String {
    if unit.hasSuffix("/Second") { return "\(self.unit(String(unit.dropLast("/Second".utf8.count))))/s" }
    return units[unit] ?? "1"
  }

  private static let units: [String: String] = [
    "Seconds": "s", "Milliseconds": "ms", "Microseconds": "us", "Percent": "%", "Bytes": "By", "Kilobytes": "kBy",
    "Megabytes": "MBy", "Gigabytes": "GBy", "Terabytes": "TBy", "Bits": "bit", "Kilobits": "kbit",
    "Megabits": "Mbit", "Gigabits": "Gbit", "Terabits": "Tbit",
  ]

  // MARK: - As OTLP has it

  /// A data point, whose fields `body` was given.
  func write(_ attributes: OTLPAttributes, at moment: Timestamp, _ point: inout ProtobufWriter) {
    let (start, time) = (UInt64(max(0, since.nanoseconds)), UInt64(max(0, moment.nanoseconds)))
    switch kind {
    case .gauge(let isGreatest):
      point.fixed(3, time)
      point.double(4, isGreatest ? maximum : last)
      point.attributes(7, attributes)
    case .sum:
      point.fixed(2, start)
      point.fixed(3, time)
      point.double(4, sum)
      point.attributes(7, attributes)
    case .histogram:
      let counts = buckets.map { UInt64($0.rounded()) }
      point.fixed(2, start)
      point.fixed(3, time)
      point.fixed(4, counts.reduce(0, +))
      point.double(5, sum)
      point.packed(6, counts)
      point.packed(7, bounds.map(\.bitPattern))
      point.attributes(9, attributes)
      point.double(11, minimum)
      point.double(12, maximum)
    }
  }
}

/// All metrics that are exported.
struct MetricTallies: Sendable {
  /// Series that are known at once; more are dropped.
  private let most: Int
  private var tallies: [MetricSeriesKey: MetricTally] = [:]
  private(set) var dropped = 0
  private var last: Timestamp

  /// For how long a series is told of that gets no more values.
  private static let patience = Duration.seconds(3600)

  init(most: Int, now: Timestamp) {
    self.most = most
    last = now
  }

  var count: Int { tallies.count }

  mutating func add(_ data: [CloudWatch.PutMetricData.Datum], space: String, _ place: Place, now: Timestamp) {
    for datum in data where MetricTallies.isExported(datum, space) {
      let metric = MetricName(place: place, space: space, name: datum.name, dimensions: datum.dimensions)
      let key = MetricSeriesKey(metric: metric, unit: datum.unit)
      if tallies[key] == nil {
        guard tallies.count < most else {
          dropped += 1
          continue
        }
        tallies[key] = MetricTally(key, since: min(last, now))
      }
      tallies[key]?.add(datum.values, at: now)
    }
  }

  /// Of what Lambda tells, CloudWatch has sums by several dimensions: who adds up the series of a collector is to count
  /// each invocation once. So the finest one is exported, and of the account what no function has.
  private static func isExported(_ datum: CloudWatch.PutMetricData.Datum, _ space: String) -> Bool {
    guard space == "AWS/Lambda" else { return true }
    if datum.dimensions.isEmpty {
      return ["ClaimedAccountConcurrency", "UnreservedConcurrentExecutions"].contains(datum.name)
    }
    let names = Set(datum.dimensions.map(\.name))
    return !names.contains("FunctionName") || names == ["FunctionName", "Resource"]
  }

  /// What there is to tell; it counts as told.
  mutating func take(now: Timestamp, isDelta: Bool) -> [(key: MetricSeriesKey, tally: MetricTally)] {
    let told = tallies.filter { $0.value.isTold(isDelta: isDelta) }.map { (key: $0.key, tally: $0.value) }
      .sorted { MetricName.precedes($0.key.metric, $1.key.metric) }
    last = now
    tallies = tallies.filter { $0.value.touched + MetricTallies.patience > now }
    for key in tallies.keys { tallies[key]?.reported(at: now, isDelta: isDelta) }
    return told
  }
}
