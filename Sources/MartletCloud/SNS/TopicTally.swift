// What happened to one topic since somebody asked, for the metrics of AWS/SNS.
// https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
import MartletCore
import MartletWire
import Synchronization

struct TopicTally: Sendable, Equatable {
  private(set) var published = 0
  /// Bytes of what was published.
  private(set) var bytes = 0
  private(set) var smallest = Int.max
  private(set) var largest = 0
  var filtered = 0
  var delivered = 0
  var failed = 0
  /// Into the dead-letter queue of a subscription.
  var redriven = 0

  mutating func published(size: Int) {
    published += 1
    bytes += size
    smallest = min(smallest, size)
    largest = max(largest, size)
  }

  /// Data of CloudWatch; what did not happen says nothing.
  func data(_ dimensions: [CloudWatch.Dimension], at moment: Timestamp) -> [CloudWatch.PutMetricData.Datum] {
    var data: [CloudWatch.PutMetricData.Datum] = []
    for (name, count) in [
      ("NumberOfMessagesPublished", published), ("NumberOfNotificationsFilteredOut", filtered),
      ("NumberOfNotificationsDelivered", delivered), ("NumberOfNotificationsFailed", failed),
      ("NumberOfNotificationsRedrivenToDlq", redriven),
    ] where count > 0 {
      data.append(.init(name, dimensions, at: moment, .one(Double(count)), unit: "Count"))
    }
    if published > 0 {
      let sizes = CloudWatch.PutMetricData.Datum.Values.set(
        count: Double(published), sum: Double(bytes), minimum: Double(smallest), maximum: Double(largest))
      data.append(.init("PublishSize", dimensions, at: moment, sizes, unit: "Bytes"))
    }
    return data
  }
}

extension SNSService {
  func note(_ topic: ResourceKey, _ body: (inout TopicTally) -> Void) {
    tallies.withLock { body(&$0[topic, default: TopicTally()]) }
  }

  /// Tells CloudWatch what happened since the last time.
  package func tell(_ door: Door) async {
    let all = tallies.withLock { tallies in
      defer { tallies = [:] }
      return tallies
    }
    var data: [Place: [CloudWatch.PutMetricData.Datum]] = [:]
    for (key, tally) in all {
      data[key.place, default: []] += tally.data([CloudWatch.Dimension("TopicName", key.name)], at: world.now())
    }
    for (place, data) in data { await CloudWatch.tell(data, space: "AWS/SNS", place, by: "sns", world, door, log) }
  }
}
