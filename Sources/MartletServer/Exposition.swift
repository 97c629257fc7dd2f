// Text in Prometheus's exposition format: families of samples, each with its help and its type.
// https://prometheus.io/docs/instrumenting/exposition_formats/
import NIOCore

struct Exposition {
  enum Kind: String { case counter, gauge, histogram }

  typealias Labels = [(name: String, value: String)]

  private(set) var buffer = ByteBuffer()

  /// A family; without samples it is left out.
  mutating func family(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: Labels, value: Double)]
  ) {
    guard !samples.isEmpty else { return }
    head(name, kind, help)
    for sample in samples { self.sample(name, sample.labels, sample.value) }
  }

  mutating func value(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    family(name, kind, help, [([], value)])
  }

  struct Histogram {
    let labels: Labels
    /// How many are no greater than each bound.
    let buckets: [(bound: Double, count: Int)]
    let count: Int
    let sum: Double
  }

  mutating func histograms(_ name: String, _ help: String, _ histograms: [Histogram]) {
    guard !histograms.isEmpty else { return }
    head(name, .histogram, help)
    for histogram in histograms {
      for bucket in histogram.buckets {
        sample("\(name)_bucket", histogram.labels + [("le", Exposition.text(bucket.bound))], Double(bucket.count))
      }
      sample("\(name)_bucket", histogram.labels + [("le", "+Inf")], Double(histogram.count))
      sample("\(name)_sum", histogram.labels, histogram.sum)
      sample("\(name)_count", histogram.labels, Double(histogram.count))
    }
  }

  private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
    buffer.writeString("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
  }

  private mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
    buffer.writeString(name)
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.name)=\"\(Exposition.escaped($0.value))\"" }
      buffer.writeString("{\(pairs.joined(separator: ","))}")
    }
    buffer.writeString(" \(Exposition.text(value))\n")
  }

  /// Whole numbers without a point.
  static func text(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return String(whole) }
    if value.isNaN { return "NaN" }
    return value.isInfinite ? value < 0 ? "-Inf" : "+Inf" : "\(value)"
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case "\n": out += "\\n"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}
