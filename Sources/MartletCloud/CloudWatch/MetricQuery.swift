// What GetMetricData and alarms ask for: a metric with a statistic, or an expression over others.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
import MartletCore
import MartletWire

/// A metric, without a place.
struct MetricIdentity: Sendable, Hashable {
  let space: String
  let name: String
  /// In the order of their names.
  let dimensions: [CloudWatch.Dimension]

  init(space: String, name: String, dimensions: [CloudWatch.Dimension]) {
    self.space = space
    self.name = name
    self.dimensions = dimensions.sorted()
  }

  func at(_ place: Place) -> MetricName {
    MetricName(place: place, space: space, name: name, dimensions: dimensions)
  }

  func write(to w: inout MemberWriter) {
    w.member("Namespace", space)
    w.member("MetricName", name)
    w.list("Dimensions", dimensions) { $1.write(to: &$0) }
  }
}

extension CloudWatch.Dimension {
  func write(to w: inout MemberWriter) {
    w.member("Name", name)
    w.member("Value", value)
  }
}

struct MetricQuery: Sendable, Hashable {
  struct Stat: Sendable, Hashable {
    let metric: MetricIdentity
    /// Seconds.
    let period: Int
    let statistic: String
    let unit: String?
  }

  let id: String
  let stat: Stat?
  let expression: String?
  let label: String?
  let isReturned: Bool
  /// Seconds; of expressions that find metrics.
  let period: Int?
  let account: String?

  private static let idPattern = Pattern("[a-z][a-zA-Z0-9_]*")

  init(id: String, stat: Stat?, expression: String? = nil, label: String? = nil, isReturned: Bool = true) {
    self.id = id
    self.stat = stat
    self.expression = expression
    self.label = label
    self.isReturned = isReturned
    period = nil
    account = nil
  }

  init(_ m: Members) {
    id = m.required("Id", .length(1, 255))
    if !id.isEmpty, !MetricQuery.idPattern.matches(id) {
      m.refuse(
        .cloudWatchValidation(
          "The value \(id) for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        ))
    }
    expression = m.string("Expression", .length(1, 2048))
    label = m.string("Label")
    isReturned = m.bool("ReturnData") ?? true
    period = m.integer("Period", in: 1...Int.max)
    account = m.string("AccountId", .length(1, 255))
    stat = m.object("MetricStat").map { Stat($0) }
    if (stat == nil) == (expression == nil) {
      m.refuse(
        .cloudWatchCombination(
          "Exactly one of the parameters MetricStat and Expression must be specified for the id '\(id)'."))
    }
    if let period, !MetricQuery.isPeriod(period) { m.refuse(.cloudWatchPeriod()) }
    if let stat, !MetricQuery.isPeriod(stat.period) { m.refuse(.cloudWatchPeriod()) }
    if let stat, MetricStatistic(stat.statistic) == nil { m.refuse(.cloudWatchStatistic(stat.statistic)) }
  }

  static func isPeriod(_ period: Int) -> Bool { [1, 5, 10, 20, 30].contains(period) || period % 60 == 0 }

  func write(to w: inout MemberWriter) {
    w.member("Id", id)
    if let stat {
      w.object("MetricStat") { w in
        w.object("Metric") { stat.metric.write(to: &$0) }
        w.member("Period", stat.period)
        w.member("Stat", stat.statistic)
        w.member("Unit", stat.unit)
      }
    }
    w.member("Expression", expression)
    w.member("Label", label)
    w.member("ReturnData", isReturned)
    w.member("Period", period)
    w.member("AccountId", account)
  }
}

extension MetricQuery.Stat {
  init(_ m: Members) {
    metric =
      m.requiredObject("Metric").map { MetricIdentity($0) } ?? MetricIdentity(space: "", name: "", dimensions: [])
    period = m.requiredInteger("Period", in: 1...Int.max)
    statistic = m.required("Stat")
    unit = m.string("Unit", .oneOf(CloudWatch.units))
  }
}

extension MetricIdentity {
  init(_ m: Members) {
    self.init(
      space: m.string("Namespace", .length(1, 255), CloudWatch.spacePattern) ?? "",
      name: m.string("MetricName", .length(1, 255)) ?? "", dimensions: m.dimensions("Dimensions"))
  }
}
