// What was tallied as an `ExportMetricsServiceRequest`.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
import MartletCore
import MartletWire

struct MetricEncoder {
  typealias Entry = (key: MetricSeriesKey, tally: MetricTally)

  let context: OTLPContext
  let now: Timestamp

  func request(_ entries: [Entry]) -> [UInt8] {
    var byResource: [OTLPResource: [Entry]] = [:]
    for entry in entries { byResource[resource(of: entry.key), default: []].append(entry) }
    var request = ProtobufWriter()
    for (resource, entries) in byResource {
      request.resource(resource, context) { scope in
        var rest = entries[...]
        while let first = rest.first {
          // Points of one metric stand together: they are sorted.
          let same = rest.prefix {
            $0.key.metric.space == first.key.metric.space && $0.key.metric.name == first.key.metric.name
              && $0.key.unit == first.key.unit
          }
          rest = rest.dropFirst(same.count)
          write(same, first.key, &scope)
        }
      }
    }
    return request.bytes
  }

  private func resource(of key: MetricSeriesKey) -> OTLPResource {
    var resource = OTLPResource(place: key.metric.place)
    if key.metric.space == "AWS/Lambda" {
      resource.function = key.metric.dimensions.first { $0.name == "FunctionName" }?.value
    }
    return resource
  }

  private func write(_ entries: ArraySlice<Entry>, _ key: MetricSeriesKey, _ scope: inout ProtobufWriter) {
    guard let first = entries.first else { return }
    let temporality: Int64 = context.settings.isDelta ? 1 : 2
    scope.message(2) { metric in
      metric.text(1, MetricEncoder.name(key.metric))
      metric.text(3, MetricTally.unit(key.unit))
      let field =
        switch first.tally.kind {
        case .gauge: 5
        case .sum: 7
        case .histogram: 9
        }
      metric.message(field) { body in
        for entry in entries {
          body.message(1) { point in
            entry.tally.write(
              entry.key.metric.dimensions.map { ($0.name, .string($0.value)) }, at: now, &point)
          }
        }
        if field != 5 { body.number(2, temporality) }
        if field == 7 { body.number(3, entries.contains { $0.tally.hasFallen } ? 0 : 1) }
      }
    }
  }

  /// `AWS/Lambda/Invocations`, with what a name may not have made into low lines.
  static func name(_ metric: MetricName) -> String {
    let allowed = "\(metric.space)/\(metric.name)".utf8.map { byte -> UInt8 in
      let isGood =
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "_.-/".utf8.contains(byte)
      return isGood ? byte : UInt8(ascii: "_")
    }
    let name = String(decoding: allowed.prefix(254), as: UTF8.self)
    let isLetter = name.utf8.first.map { (65...90).contains($0) || (97...122).contains($0) } == true
    return isLetter ? name : "_\(name)"
  }
}
