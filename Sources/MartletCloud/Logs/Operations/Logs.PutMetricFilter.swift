// PutMetricFilter: what is to be counted in the events of a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutMetricFilter: Operation {
    static let route = Route.target("Logs.PutMetricFilter")

    struct Input: Readable {
      let group: String
      let filter: MetricFilter

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        let name = m.required("filterName", .length(1, 512), .pattern(Logs.namePattern))
        let pattern = m.required("filterPattern", .length(0, 1024))
        var transformations: [JSONValue] = []
        for one in m.requiredObjects("metricTransformations", count: 1...1) {
          _ = one.required("metricName", .length(nil, 255), .pattern(Logs.metricPattern))
          _ = one.required("metricNamespace", .length(nil, 255), .pattern(Logs.metricPattern))
          _ = one.required("metricValue", .length(nil, 100))
          _ = one.number("defaultValue", in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
          _ = one.map("dimensions", keys: [.length(nil, 255)], values: [.length(nil, 255)])
          _ = one.string("unit", .oneOf(Logs.metricUnits))
          transformations.append(.object(one.members.filter { Logs.transformationMembers.contains($0.name) }))
        }
        let transformed = m.bool("applyOnTransformedLogs")
        let criteria = m.string("fieldSelectionCriteria", .length(0, 2000))
        filter = MetricFilter(
          name: name, pattern: pattern, transformations: .array(transformations), created: 0,
          appliesToTransformed: transformed, criteria: criteria,
          dimensions: m.strings("emitSystemFieldDimensions"))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      _ = try FilterPattern(input.filter.pattern)
      let given = input.filter
      let filter = MetricFilter(
        name: given.name, pattern: given.pattern, transformations: given.transformations, created: logs.now,
        appliesToTransformed: given.appliesToTransformed, criteria: given.criteria, dimensions: given.dimensions)
      try await logs.update(input.group, call.place) { group throws(AWSError) in
        group.metricFilters.removeAll { $0.name == filter.name }
        guard group.metricFilters.count < 100 else { throw .logsLimit("Resource limit exceeded.") }
        group.metricFilters.append(filter)
      }
      return Empty()
    }
  }
}
