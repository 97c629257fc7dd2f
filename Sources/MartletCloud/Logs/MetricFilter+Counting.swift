// What a metric filter makes of an event: a value, and the dimensions that it takes from it. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html
import MartletCore
import MartletWire

extension MetricFilter {
  /// How what matches becomes a value.
  struct Transformation: Sendable {
    let space: String
    let name: String
    /// A number, or where it is in the event: `$.latency`, `$bytes`.
    let value: String
    let usual: Double?
    let unit: String
    let dimensions: [(name: String, place: String)]
  }

  var transformation: Transformation? {
    guard let json = transformations.array?.first, let space = json["metricNamespace"]?.string,
      let name = json["metricName"]?.string, let value = json["metricValue"]?.string
    else { return nil }
    return Transformation(
      space: space, name: name, value: value, usual: json["defaultValue"]?.number,
      unit: json["unit"]?.string ?? "None",
      dimensions: (json["dimensions"]?.members ?? []).compactMap { member in
        member.value.string.map { (member.name, $0) }
      })
  }
}

extension MetricFilter.Transformation {
  /// What an event adds; nil if its value is no number there.
  /// - Parameter extracted: what the pattern took out of it.
  func datum(
    _ event: String, _ extracted: [(key: String, value: String)], at time: Timestamp
  ) -> CloudWatch.PutMetricData.Datum? {
    let json =
      value.hasPrefix("$.") || dimensions.contains { $0.place.hasPrefix("$.") } ? try? JSONValue(parsing: event) : nil
    func find(_ place: String) -> String? {
      if let known = extracted.first(where: { $0.key == place })?.value { return known }
      guard place.hasPrefix("$."), let json else { return nil }
      return json.found(at: place.dropFirst(2))
    }
    guard let number = value.hasPrefix("$") ? find(value).flatMap({ Double($0) }) : Double(value), number.isFinite
    else {
      return nil
    }
    var found: [CloudWatch.Dimension] = []
    for dimension in dimensions {
      guard let text = find(dimension.place), !text.isEmpty else { return nil }
      found.append(.init(dimension.name, text))
    }
    return .init(name, found, at: time, .one(number), unit: unit)
  }
}

extension JSONValue {
  /// The text of what is at `a.b[0].c`.
  fileprivate func found(at path: Substring) -> String? {
    var value = self
    for step in path.split(separator: ".") {
      let name = step.prefix { $0 != "[" }
      guard let member = value[String(name)] else { return nil }
      value = member
      for index in step.dropFirst(name.count).split(separator: "[") {
        guard let number = Int(index.dropLast()), index.last == "]", let list = value.array,
          list.indices.contains(number)
        else { return nil }
        value = list[number]
      }
    }
    switch value {
    case .string(let text): return text
    case .null, .array, .object: return nil
    default: return value.text
    }
  }
}
