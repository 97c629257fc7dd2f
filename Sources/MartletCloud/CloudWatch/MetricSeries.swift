// Which metric a value belongs to, and where its periods lie.
import MartletCore
import MartletWire

/// A metric: `AWS/Lambda`, `Invocations`, and what its dimensions say.
struct MetricName: Hashable, Sendable {
  let place: Place
  let space: String
  let name: String
  /// In the order of their names.
  let dimensions: [CloudWatch.Dimension]

  init(place: Place, space: String, name: String, dimensions: [CloudWatch.Dimension]) {
    self.place = place
    self.space = space
    self.name = name
    self.dimensions = dimensions.sorted()
  }

  var identity: MetricIdentity { MetricIdentity(space: space, name: name, dimensions: dimensions) }

  /// Before it in listings.
  static func precedes(_ a: MetricName, _ b: MetricName) -> Bool {
    (a.space, a.name, a.dimensionsText) < (b.space, b.name, b.dimensionsText)
  }

  /// `[["FunctionName","f"]]`
  var dimensionsText: String {
    JSONValue.array(dimensions.map { .array([.string($0.name), .string($0.value)]) }).text
  }

  static func dimensions(_ text: String) -> [CloudWatch.Dimension]? {
    guard let list = try? JSONValue(parsing: text), let pairs = list.array else { return nil }
    var dimensions: [CloudWatch.Dimension] = []
    for pair in pairs {
      guard let parts = pair.array, parts.count == 2, let name = parts[0].string, let value = parts[1].string else {
        return nil
      }
      dimensions.append(.init(name, value))
    }
    return dimensions
  }
}

/// The values of a metric in one unit.
struct MetricSeriesKey: Hashable, Sendable {
  let metric: MetricName
  let unit: String
}

/// The lengths of time for which values are kept together, and how long they are.
/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Metric
enum MetricPeriod: Int, CaseIterable, Sendable {
  case second = 1
  case minute = 60
  case fiveMinutes = 300
  case hour = 3600

  /// Seconds for which such values are kept.
  var retention: Int64 {
    switch self {
    case .second: 3 * 3600
    case .minute: 15 * 86400
    case .fiveMinutes: 63 * 86400
    case .hour: 455 * 86400
    }
  }

  /// Where a value of that moment begins to lie, in seconds since 1970.
  func start(of second: Int64) -> Int64 { second - (second % Int64(rawValue) + Int64(rawValue)) % Int64(rawValue) }

  /// The next longer one, into which what is too old for this one is put together.
  var next: MetricPeriod? { MetricPeriod.allCases.first { $0.rawValue > rawValue } }
}
