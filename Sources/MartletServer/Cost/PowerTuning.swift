// A function at several memory sizes, side by side: how long it takes, what it costs, which size is best.
import MartletCore

package struct PowerTuning: Sendable {
  /// What was measured at one size.
  package struct Size: Sendable {
    /// Mebibytes.
    package let memory: Int
    /// The first invocation, in a new environment.
    package let cold: LambdaReport
    /// The others.
    package let warm: [LambdaReport]

    package init(memory: Int, cold: LambdaReport, warm: [LambdaReport]) {
      self.memory = memory
      self.cold = cold
      self.warm = warm
    }

    /// Milliseconds, like all of these.
    package var average: Double { warm.reduce(0) { $0 + $1.duration } / Double(max(1, warm.count)) }
    package var averageBilled: Double { Double(warm.reduce(0) { $0 + $1.billed }) / Double(max(1, warm.count)) }
    package var coldTime: Double { cold.duration + (cold.initialisation ?? 0) }
    /// Mebibytes.
    package var memoryUsed: Int64 { (warm + [cold]).map(\.memoryUsed).max() ?? 0 }

    /// The smallest duration that so much of the invocations did not exceed.
    /// - Parameter fraction: 0.5 is the median.
    package func percentile(_ fraction: Double) -> Double {
      let sorted = warm.map(\.duration).sorted()
      guard !sorted.isEmpty else { return 0 }
      let rank = (fraction * Double(sorted.count)).rounded(.up)
      return sorted[min(sorted.count - 1, max(0, Int(rank) - 1))]
    }
  }

  package let sizes: [Size]
  private let prices: PriceTable
  private let architecture: Architecture
  /// Mebibytes of /tmp.
  private let storage: Int64

  /// - Parameter sizes: each with at least one warm invocation.
  package init(_ sizes: [Size], prices: PriceTable, architecture: Architecture, storage: Int64) {
    self.sizes = sizes
    self.prices = prices
    self.architecture = architecture
    self.storage = storage
  }

  /// What a million warm invocations cost at list price.
  package func costOfMillion(_ size: Size) -> Money {
    var sum = Money.zero
    for report in size.warm {
      let use = Usage(billed: report.billed, memory: Int64(size.memory), storage: storage)
      sum += prices.charges(use, architecture).total
    }
    return sum * 1_000_000 / Int64(max(1, size.warm.count))
  }

  /// Of several that cost the same, the one that takes the least time.
  package var cheapest: Size? {
    sizes.min { (costOfMillion($0), $0.average, $0.memory) < (costOfMillion($1), $1.average, $1.memory) }
  }

  /// Of several that take the same time, the smallest.
  package var fastest: Size? { sizes.min { ($0.average, $0.memory) < ($1.average, $1.memory) } }

  // MARK: - Text

  package static let columns = [
    "MEMORY", "USED", "COLD", "AVERAGE", "P50", "P95", "BILLED", "A MILLION",
  ]

  /// - Parameter amount: shows money.
  package func rows(_ amount: (Money) -> String) -> [[String]] {
    sizes.map { size in
      [
        "\(size.memory) MB", "\(size.memoryUsed) MB", PowerTuning.milliseconds(size.coldTime),
        PowerTuning.milliseconds(size.average), PowerTuning.milliseconds(size.percentile(0.5)),
        PowerTuning.milliseconds(size.percentile(0.95)), PowerTuning.milliseconds(size.averageBilled),
        amount(costOfMillion(size)),
      ]
    }
  }

  package func chart(_ amount: (Money) -> String, width: Int = 40) -> String {
    let times = BarChart(
      sizes.map { .init(label: "\($0.memory) MB", value: $0.average, note: PowerTuning.milliseconds($0.average)) },
      width: width)
    let costs = BarChart(
      sizes.map { size in
        let cost = costOfMillion(size)
        return .init(label: "\(size.memory) MB", value: cost.approximate, note: amount(cost))
      }, width: width)
    return (["Average time"] + times.lines + ["", "Cost of a million"] + costs.lines).joined(separator: "\n")
  }

  package static func milliseconds(_ value: Double) -> String {
    let hundredths = Int64((min(max(value, 0), 1e12) * 100).rounded())
    let rest = String(100 + hundredths % 100).dropFirst()
    return "\(hundredths / 100).\(rest) ms"
  }
}
