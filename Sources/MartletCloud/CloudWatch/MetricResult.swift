// What a query of metrics came to: values and when they were.
import MartletCore
import MartletWire

struct MetricResult: Sendable {
  struct Message: Sendable {
    let code: String
    let value: String

    func write(to w: inout MemberWriter) {
      w.member("Code", code)
      w.member("Value", value)
    }
  }

  let id: String
  var label: String
  /// Moments are seconds since 1970.
  var values: [(start: Int64, value: Double)]
  var status = "Complete"
  var messages: [Message] = []

  init(id: String, label: String, values: [(start: Int64, value: Double)] = []) {
    self.id = id
    self.label = label
    self.values = values
  }

  func reversed() -> MetricResult {
    var copy = self
    copy.values.reverse()
    return copy
  }

  func write(to w: inout MemberWriter) {
    w.member("Id", id)
    w.member("Label", label)
    w.moments("Timestamps", values.map { Timestamp(milliseconds: $0.start * 1000) })
    w.member("Values", values.map(\.value))
    w.member("StatusCode", status)
    if !messages.isEmpty { w.list("Messages", messages) { $1.write(to: &$0) } }
  }
}

extension CloudWatchService {
  /// What queries come to, for those whose data is wanted, in their order. Values are in the order of time.
  /// - Throws: if an expression cannot be read.
  func results(of queries: [MetricQuery], _ span: MetricSpan, _ place: Place) async throws(AWSError) -> [MetricResult] {
    var results: [MetricResult] = []
    for query in queries where query.isReturned {
      guard let stat = query.stat else { throw .notImplemented("metric math") }
      results.append(
        MetricResult(id: query.id, label: query.label ?? stat.metric.name, values: try await values(stat, span, place)))
    }
    return results
  }

  /// A statistic of a metric, in the order of time.
  func values(
    _ stat: MetricQuery.Stat, _ span: MetricSpan, _ place: Place
  ) async throws(AWSError) -> [(start: Int64, value: Double)] {
    guard let statistic = MetricStatistic(stat.statistic) else { throw .cloudWatchStatistic(stat.statistic) }
    var span = span
    span.period = stat.period
    span = span.rounded(now: world.now().seconds)
    do throws(Fault) {
      let points = try await metrics.values(
        of: stat.metric.at(place), unit: stat.unit, period: span.period, from: span.start, to: span.end)
      return points.values.compactMap { start, values in values.statistic(statistic).map { (start, $0) } }
    } catch {
      throw .service("\(error)")
    }
  }
}
