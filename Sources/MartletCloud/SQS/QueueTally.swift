// What happened to one queue since somebody asked, for the metrics of AWS/SQS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
import MartletCore
import MartletWire
import Synchronization

struct QueueTally: Sendable, Equatable {
  private(set) var sent = 0
  /// Bytes of those that were sent.
  private(set) var bytes = 0
  private(set) var smallest = Int.max
  private(set) var largest = 0
  var received = 0
  var deleted = 0
  /// Receives that brought nothing.
  var emptyReceives = 0

  mutating func sent(size: Int) {
    sent += 1
    bytes += size
    smallest = min(smallest, size)
    largest = max(largest, size)
  }

  /// Data of CloudWatch; what did not happen says nothing.
  func data(_ dimensions: [CloudWatch.Dimension], at moment: Timestamp) -> [CloudWatch.PutMetricData.Datum] {
    var data: [CloudWatch.PutMetricData.Datum] = []
    for (name, count) in [
      ("NumberOfMessagesSent", sent), ("NumberOfMessagesReceived", received), ("NumberOfMessagesDeleted", deleted),
      ("NumberOfEmptyReceives", emptyReceives),
    ] where count > 0 {
      data.append(.init(name, dimensions, at: moment, .one(Double(count)), unit: "Count"))
    }
    if sent > 0 {
      let sizes = CloudWatch.PutMetricData.Datum.Values.set(
        count: Double(sent), sum: Double(bytes), minimum: Double(smallest), maximum: Double(largest))
      data.append(.init("SentMessageSize", dimensions, at: moment, sizes, unit: "Bytes"))
    }
    return data
  }
}

/// What is in one queue.
package struct QueueCensus: Sendable {
  package let key: ResourceKey
  package let visible: Int
  package let inFlight: Int
  package let delayed: Int
  /// When the oldest message that is not deleted was sent; nil if there is none.
  package let oldest: Timestamp?
}

extension SQSService {
  /// All queues, in order.
  package var census: [QueueCensus] { live.all.map { $0.census() }.sorted { $0.key.order < $1.key.order } }

  /// Tells CloudWatch what happened since the last time, and once a minute what is in queues that were used in the last
  /// six hours.
  package func tell(_ door: Door) async {
    let now = world.now()
    let isMinute = told.withLock { last in
      defer { last = now.seconds / 60 }
      return now.seconds / 60 != last
    }
    var data: [Place: [CloudWatch.PutMetricData.Datum]] = [:]
    for queue in live.all {
      let dimensions = [CloudWatch.Dimension("QueueName", queue.key.name)]
      let (tally, isActive) = queue.takeTally(now: now.seconds)
      var told = tally.data(dimensions, at: now)
      if isMinute, isActive {
        let census = queue.census()
        let age = census.oldest.map { max(0, (now.milliseconds - $0.milliseconds) / 1000) } ?? 0
        for (name, value, unit) in [
          ("ApproximateNumberOfMessagesVisible", Int64(census.visible), "Count"),
          ("ApproximateNumberOfMessagesNotVisible", Int64(census.inFlight), "Count"),
          ("ApproximateNumberOfMessagesDelayed", Int64(census.delayed), "Count"),
          ("ApproximateAgeOfOldestMessage", age, "Seconds"),
        ] {
          told.append(.init(name, dimensions, at: now, .one(Double(value)), unit: unit))
        }
      }
      if !told.isEmpty { data[queue.key.place, default: []] += told }
    }
    for (place, data) in data { await CloudWatch.tell(data, space: "AWS/SQS", place, by: "sqs", world, door, log) }
  }
}

extension ResourceKey {
  fileprivate var order: (String, String, String) { (place.account.id, place.region.name, name) }
}
