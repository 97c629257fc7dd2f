// What rules have done since CloudWatch was told last: the metrics of AWS/Events.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
import MartletCore
import MartletWire
import Synchronization

extension RuleTally {
  /// Data of CloudWatch for what came after another reading; what did not happen says nothing.
  func data(
    since before: RuleTally, _ dimensions: [CloudWatch.Dimension], at moment: Timestamp
  ) -> [CloudWatch.PutMetricData.Datum] {
    let failed = (deadLetters + dropped) - (before.deadLetters + before.dropped)
    return [
      ("MatchedEvents", matched - before.matched), ("TriggeredRules", matched - before.matched),
      ("Invocations", delivered - before.delivered + failed), ("FailedInvocations", failed),
      ("InvocationsSentToDlq", deadLetters - before.deadLetters),
    ].filter { $0.1 > 0 }.map { name, count in
      .init(name, dimensions, at: moment, .one(Double(count)), unit: "Count")
    }
  }
}

extension EventBridgeService {
  /// Tells CloudWatch what happened since the last time.
  package func tell(_ door: Door) async {
    let rules = tallies.all.rules
    let before = told.withLock { told in
      defer { told = rules }
      return told
    }
    var data: [Place: [CloudWatch.PutMetricData.Datum]] = [:]
    for (text, tally) in rules where tally != before[text] {
      guard let arn = ARN(text), let account = Account(arn.account), let region = Region(arn.region) else { continue }
      // `rule/NAME`, or `rule/BUS/NAME`.
      let parts = arn.resource.split(separator: "/").dropFirst().map(String.init)
      guard let name = parts.last else { continue }
      var dimensions = [CloudWatch.Dimension("RuleName", name)]
      if parts.count > 1 {
        dimensions.insert(.init("EventBusName", parts.dropLast().joined(separator: "/")), at: 0)
      }
      let figures = tally.data(since: before[text] ?? RuleTally(), dimensions, at: world.now())
      data[Place(account: account, region: region), default: []] += figures
    }
    for (place, data) in data {
      await CloudWatch.tell(data, space: "AWS/Events", place, by: "events", world, door, log)
    }
  }
}
