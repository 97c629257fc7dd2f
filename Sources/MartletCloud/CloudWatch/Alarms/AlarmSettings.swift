// What was said of an alarm: of a metric, of an expression, or of other alarms. It is kept as it is answered.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
import MartletCore
import MartletWire

struct AlarmSettings: Sendable {
  static let comparisons = [
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold",
  ]

  let description: String?
  var actionsEnabled: Bool
  /// ARNs by the state in which they are taken.
  let actions: [AlarmValue: [String]]
  let metric: MetricIdentity?
  let statistic: String?
  let extendedStatistic: String?
  let period: Int?
  let unit: String?
  let queries: [MetricQuery]
  let evaluationPeriods: Int?
  let datapoints: Int?
  let threshold: Double?
  let comparison: String?
  let missing: String?
  let lowSample: String?
  let thresholdID: String?
  /// Of a composite alarm.
  let rule: String?
  let suppressor: String?
  let suppressorWait: Int?
  let suppressorExtension: Int?

  var isComposite: Bool { rule != nil }

  /// Reads the members of both PutMetricAlarm and PutCompositeAlarm.
  init(_ m: Members, isComposite: Bool) {
    description = m.string("AlarmDescription", .length(0, 1024))
    actionsEnabled = m.bool("ActionsEnabled") ?? true
    var actions: [AlarmValue: [String]] = [:]
    for (value, name) in AlarmSettings.actionNames {
      actions[value] = m.strings(name, count: 0...5, each: [.length(1, 1024)]) ?? []
    }
    self.actions = actions
    rule = isComposite ? m.required("AlarmRule", .length(1, 10240)) : nil
    suppressor = isComposite ? m.string("ActionsSuppressor", .length(1, 1600)) : nil
    suppressorWait = isComposite ? m.integer("ActionsSuppressorWaitPeriod", in: Int.min...Int.max) : nil
    suppressorExtension = isComposite ? m.integer("ActionsSuppressorExtensionPeriod", in: Int.min...Int.max) : nil
    let space = isComposite ? nil : m.string("Namespace", .length(1, 255), CloudWatch.spacePattern)
    let name = isComposite ? nil : m.string("MetricName", .length(1, 255))
    let dimensions = isComposite ? [] : m.dimensions("Dimensions")
    metric = name.map { MetricIdentity(space: space ?? "", name: $0, dimensions: dimensions) }
    statistic = isComposite ? nil : m.string("Statistic", .oneOf(CloudWatch.statistics))
    extendedStatistic = isComposite ? nil : m.string("ExtendedStatistic")
    period = isComposite ? nil : m.integer("Period", in: 1...Int.max)
    unit = isComposite ? nil : m.string("Unit", .oneOf(CloudWatch.units))
    queries = isComposite ? [] : (m.objects("Metrics") ?? []).map { MetricQuery($0) }
    evaluationPeriods = isComposite ? nil : m.integer("EvaluationPeriods", in: 1...Int.max)
    datapoints = isComposite ? nil : m.integer("DatapointsToAlarm", in: 1...Int.max)
    threshold = isComposite ? nil : m.decimal("Threshold")
    comparison = isComposite ? nil : m.string("ComparisonOperator", .oneOf(AlarmSettings.comparisons))
    missing = isComposite ? nil : m.string("TreatMissingData", .length(1, 255))
    lowSample = isComposite ? nil : m.string("EvaluateLowSampleCountPercentile", .length(1, 255))
    thresholdID = isComposite ? nil : m.string("ThresholdMetricId", .length(1, 255))
  }

  static let actionNames: [(AlarmValue, String)] = [
    (.ok, "OKActions"), (.alarm, "AlarmActions"), (.insufficientData, "InsufficientDataActions"),
  ]

  func write(to w: inout MemberWriter) {
    w.member("AlarmDescription", description)
    w.member("ActionsEnabled", actionsEnabled)
    for (value, name) in AlarmSettings.actionNames { w.member(name, actions[value] ?? []) }
    if let rule {
      w.member("AlarmRule", rule)
      w.member("ActionsSuppressor", suppressor)
      w.member("ActionsSuppressorWaitPeriod", suppressorWait)
      w.member("ActionsSuppressorExtensionPeriod", suppressorExtension)
      return
    }
    if let metric {
      metric.write(to: &w)
    } else {
      w.list("Dimensions", [CloudWatch.Dimension]()) { $1.write(to: &$0) }
    }
    w.member("Statistic", statistic)
    w.member("ExtendedStatistic", extendedStatistic)
    w.member("Period", period)
    w.member("Unit", unit)
    if !queries.isEmpty { w.list("Metrics", queries) { $1.write(to: &$0) } }
    w.member("EvaluationPeriods", evaluationPeriods)
    w.member("DatapointsToAlarm", datapoints)
    w.member("Threshold", threshold)
    w.member("ComparisonOperator", comparison)
    w.member("TreatMissingData", missing)
    w.member("EvaluateLowSampleCountPercentile", lowSample)
    w.member("ThresholdMetricId", thresholdID)
  }

  /// What is asked of the metrics: the last one that is returned is compared.
  var asked: [MetricQuery] {
    guard let metric, let period else { return queries }
    let stat = MetricQuery.Stat(
      metric: metric, period: period, statistic: extendedStatistic ?? statistic ?? "Average", unit: unit)
    return [MetricQuery(id: "m1", stat: stat)]
  }

  /// Seconds.
  var step: Int { period ?? queries.compactMap { $0.stat?.period ?? $0.period }.min() ?? 60 }

  /// nil for composite alarms, and for those of bands.
  var evaluation: AlarmEvaluation? {
    guard let comparison = comparison.flatMap({ AlarmEvaluation.Comparison(rawValue: $0) }), let threshold,
      let periods = evaluationPeriods
    else { return nil }
    return AlarmEvaluation(
      comparison: comparison, threshold: threshold, periods: periods, datapoints: datapoints ?? periods,
      missing: missing.flatMap { .init(rawValue: $0) } ?? .missing)
  }
}

extension AlarmSettings {
  /// Refuses what the model allows and CloudWatch does not.
  func check(_ m: Members) {
    if let rule {
      if AlarmRule(rule) == nil {
        m.refuse(.cloudWatchValidation("AlarmRule must be a boolean expression of the states of alarms: \(rule)"))
      }
      return
    }
    if (metric == nil) == queries.isEmpty {
      m.refuse(
        .cloudWatchValidation(
          "Exactly one of the elements [MetricName, Metrics, EvaluationCriteria] must be specified to create an alarm.")
      )
    }
    if metric != nil {
      if period == nil { m.refuse(.cloudWatchValidation("Period must not be null")) }
      if (statistic == nil) == (extendedStatistic == nil) {
        m.refuse(.cloudWatchValidation("Exactly one of Statistic and ExtendedStatistic must be specified."))
      }
      if metric?.space.isEmpty == true { m.refuse(.cloudWatchValidation("Namespace must not be null")) }
    }
    if let period, !MetricQuery.isPeriod(period) { m.refuse(.cloudWatchPeriod()) }
    if let extendedStatistic, MetricStatistic(extendedStatistic) == nil {
      m.refuse(.cloudWatchInvalid("The value \(extendedStatistic) for parameter ExtendedStatistic is not supported."))
    }
    if !queries.isEmpty, queries.count(where: \.isReturned) != 1 {
      m.refuse(
        .cloudWatchValidation("Exactly one of the elements of the metrics list should return data."))
    }
    if evaluationPeriods == nil { m.refuse(.cloudWatchValidation("EvaluationPeriods must not be null")) }
    if comparison == nil { m.refuse(.cloudWatchValidation("ComparisonOperator must not be null")) }
    if threshold == nil, thresholdID == nil { m.refuse(.cloudWatchValidation("Threshold must not be null")) }
    if let datapoints, let evaluationPeriods, datapoints > evaluationPeriods {
      m.refuse(
        .cloudWatchValidation("DatapointsToAlarm must be less than or equal to EvaluationPeriods."))
    }
    if let missing, AlarmEvaluation.Missing(rawValue: missing) == nil {
      m.refuse(.cloudWatchValidation("Unsupported treat missing data option: \(missing)"))
    }
    if let evaluationPeriods, step * evaluationPeriods > (step < 3600 ? 86_400 : 604_800) {
      m.refuse(
        .cloudWatchValidation(
          "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."))
    }
  }
}
