// The table of the service: every operation of AWS's model, one row each, and what its requests have in common.
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension XRayService {
  package static let rows: [OperationRow<XRayService>] = [
    .init(XRay.BatchGetTraces.self),
    .init(missing: .rest("XRay.CancelTraceRetrieval", .post, "/CancelTraceRetrieval")),
    .init(XRay.CreateGroup.self),
    .init(XRay.CreateSamplingRule.self),
    .init(XRay.DeleteGroup.self),
    .init(missing: .rest("XRay.DeleteResourcePolicy", .post, "/DeleteResourcePolicy")),
    .init(XRay.DeleteSamplingRule.self),
    .init(XRay.GetEncryptionConfig.self),
    .init(XRay.GetGroup.self),
    .init(XRay.GetGroups.self),
    .init(missing: .rest("XRay.GetIndexingRules", .post, "/GetIndexingRules")),
    .init(missing: .rest("XRay.GetInsight", .post, "/Insight")),
    .init(missing: .rest("XRay.GetInsightEvents", .post, "/InsightEvents")),
    .init(missing: .rest("XRay.GetInsightImpactGraph", .post, "/InsightImpactGraph")),
    .init(missing: .rest("XRay.GetInsightSummaries", .post, "/InsightSummaries")),
    .init(missing: .rest("XRay.GetRetrievedTracesGraph", .post, "/GetRetrievedTracesGraph")),
    .init(XRay.GetSamplingRules.self),
    .init(XRay.GetSamplingStatisticSummaries.self),
    .init(XRay.GetSamplingTargets.self),
    .init(XRay.GetServiceGraph.self),
    .init(
      missing: .rest("XRay.GetTimeSeriesServiceStatistics", .post, "/TimeSeriesServiceStatistics")),
    .init(XRay.GetTraceGraph.self),
    .init(XRay.GetTraceSegmentDestination.self),
    .init(XRay.GetTraceSummaries.self),
    .init(missing: .rest("XRay.ListResourcePolicies", .post, "/ListResourcePolicies")),
    .init(missing: .rest("XRay.ListRetrievedTraces", .post, "/ListRetrievedTraces")),
    .init(XRay.ListTagsForResource.self),
    .init(XRay.PutEncryptionConfig.self),
    .init(missing: .rest("XRay.PutResourcePolicy", .post, "/PutResourcePolicy")),
    .init(XRay.PutTelemetryRecords.self),
    .init(XRay.PutTraceSegments.self),
    .init(missing: .rest("XRay.StartTraceRetrieval", .post, "/StartTraceRetrieval")),
    .init(XRay.TagResource.self),
    .init(XRay.UntagResource.self),
    .init(XRay.UpdateGroup.self),
    .init(missing: .rest("XRay.UpdateIndexingRule", .post, "/UpdateIndexingRule")),
    .init(XRay.UpdateSamplingRule.self),
    .init(
      missing: .rest("XRay.UpdateTraceSegmentDestination", .post, "/UpdateTraceSegmentDestination")),
  ]
}

/// An answer without members, which is an object all the same.
struct XRayNothing: Writable {
  func write(to w: inout Writer) { w.body { _ in } }
}

/// `StartTime` and `EndTime`, in seconds since 1970.
struct XRayTimes: Sendable {
  let start: Double
  let end: Double

  /// Any number that can be a moment.
  static let range = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude

  init(_ m: Members) {
    start = m.requiredNumber("StartTime", in: XRayTimes.range)
    end = m.requiredNumber("EndTime", in: XRayTimes.range)
  }

  /// - Parameter longest: seconds that the span may have.
  func checked(longest: Double = .infinity) throws(AWSError) -> XRayTimes {
    guard start < end else { throw .xrayInvalidTimeRange() }
    guard end - start <= longest else { throw .xrayTimeRangeTooLong() }
    return self
  }

  /// Milliseconds since 1970.
  var milliseconds: (start: Int64, end: Int64) { (XRayTimes.clamp(start), XRayTimes.clamp(end)) }

  private static func clamp(_ seconds: Double) -> Int64 { Int64(min(max(seconds, 0), 1e11) * 1000) }
}

/// A group by its name or its ARN.
struct XRayGroupReference: Sendable {
  let name: String?
  let arn: String?

  init(_ m: Members) {
    name = m.string("GroupName", .length(1, 32))
    arn = m.string("GroupARN", .length(1, 400))
  }

  var isGiven: Bool { name != nil || arn != nil }
}

struct XRayInsights: Sendable {
  let isEnabled: Bool
  let notifies: Bool

  init?(_ m: Members) {
    guard let object = m.object("InsightsConfiguration") else { return nil }
    isEnabled = object.bool("InsightsEnabled") ?? false
    notifies = object.bool("NotificationsEnabled") ?? false
  }

  func check() throws(AWSError) {
    if notifies, !isEnabled { throw .xrayNotificationsNeedInsights() }
  }
}

/// A sampling rule by its name or its ARN.
struct SamplingRuleReference: Sendable {
  private var name: String?
  private var arn: String?

  init(name: String? = nil, arn: String? = nil) {
    self.name = name
    self.arn = arn
  }

  init(_ m: Members) {
    self.init(name: m.string("RuleName", .length(1, 32)), arn: m.string("RuleARN"))
  }

  func name(in call: Call) throws(AWSError) -> String {
    guard (name == nil) != (arn == nil) else { throw .xrayNeedsRule() }
    if let name { return name }
    guard let arn = arn.flatMap({ ARN($0) }), arn.service == "xray",
      arn.account == call.place.account.id,
      arn.region == call.place.region.name, arn.resource.hasPrefix("sampling-rule/")
    else { throw .xrayNoRule() }
    return String(arn.resource.dropFirst("sampling-rule/".count))
  }
}

extension Members {
  func samplingAttributes() -> [SamplingRule.Pair]? {
    map("Attributes", keys: [.length(1, 32)], values: [.length(1, 32)], count: 0...5)?
      .map { SamplingRule.Pair(key: $0.key, value: $0.value) }
  }

  func samplingBoost() -> SamplingRule.Boost? {
    object("SamplingRateBoost").map { boost in
      SamplingRule.Boost(
        maxRate: boost.requiredNumber("MaxRate", in: 0...1),
        cooldownMinutes: boost.requiredInteger("CooldownWindowMinutes", in: 0...Int.max))
    }
  }
}

/// Where a page of traces ended.
enum XRayToken {
  static func text(_ position: TraceStore.Position) -> String {
    Base64.encode(Array("\(position.begun) \(position.trace)".utf8))
  }

  static func position(_ text: String) throws(AWSError) -> TraceStore.Position {
    let parts = Base64.decode(text).map { String(buffer: $0).split(separator: " ") } ?? []
    guard parts.count == 2, let begun = Int64(parts[0]), TraceID(String(parts[1])) != nil else {
      throw .xrayInvalidToken()
    }
    return TraceStore.Position(begun: begun, trace: String(parts[1]))
  }
}
