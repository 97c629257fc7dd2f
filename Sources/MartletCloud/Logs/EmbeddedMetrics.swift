// Metrics that a program writes into its log, in the embedded metric format. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
import MartletCore
import MartletWire

struct EmbeddedMetrics: Sendable {
  /// Data by namespace, in the order of the line.
  let data: [(space: String, datum: CloudWatch.PutMetricData.Datum)]

  /// What every such line has in it.
  static let mark = Needle(Array(#""_aws""#.utf8))
  private static let mostDimensions = 30
  private static let mostValues = 100

  /// nil for a line without metrics. What is wrong in it is left out, as AWS does.
  init?(_ line: String) {
    guard let json = try? JSONValue(parsing: line), let aws = json["_aws"],
      let directives = aws["CloudWatchMetrics"]?.array
    else { return nil }
    let time = aws["Timestamp"]?.number.flatMap { abs($0) < 9e12 ? Timestamp(milliseconds: Int64($0)) : nil }
    var data: [(space: String, datum: CloudWatch.PutMetricData.Datum)] = []
    for directive in directives {
      guard let space = directive["Namespace"]?.string, !space.isEmpty, let metrics = directive["Metrics"]?.array else {
        continue
      }
      let sets = directive["Dimensions"]?.array ?? [.array([])]
      for set in sets.compactMap({ EmbeddedMetrics.dimensions($0, json) }) {
        for metric in metrics {
          guard let datum = EmbeddedMetrics.datum(metric, set, at: time, json) else { continue }
          data.append((space, datum))
        }
      }
    }
    self.data = data
  }

  /// nil if one of them has no value.
  private static func dimensions(_ set: JSONValue, _ json: JSONValue) -> [CloudWatch.Dimension]? {
    guard let names = set.array?.compactMap(\.string), names.count <= mostDimensions else { return nil }
    var dimensions: [CloudWatch.Dimension] = []
    for name in names {
      guard let value = json[name]?.string, !value.isEmpty, value.utf8.count <= 1024 else { return nil }
      dimensions.append(.init(name, value))
    }
    return dimensions
  }

  private static func datum(
    _ metric: JSONValue, _ dimensions: [CloudWatch.Dimension], at time: Timestamp?, _ json: JSONValue
  ) -> CloudWatch.PutMetricData.Datum? {
    guard let name = metric["Name"]?.string, !name.isEmpty, let target = json[name] else { return nil }
    let values = (target.array ?? [target]).compactMap(\.number)
    guard !values.isEmpty, values.count <= mostValues, values.allSatisfy({ abs($0) <= 0x1p360 }) else { return nil }
    let unit = metric["Unit"]?.string ?? "None"
    return .init(
      name, dimensions, at: time, .many(values.map { ($0, 1) }), unit: CloudWatch.units.contains(unit) ? unit : "None",
      resolution: metric["StorageResolution"]?.integer == 1 ? 1 : 60)
  }
}
