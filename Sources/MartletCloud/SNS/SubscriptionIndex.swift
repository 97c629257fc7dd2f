// The subscriptions by topic, with their filters ready: what every Publish goes through. Follows the catalogue.
import MartletCore
import Synchronization

final class SubscriptionIndex: Sendable {
  struct Entry: Sendable {
    let record: SNSSubscription
    let filter: FilterPolicy?
  }

  private let topics = Mutex<[ResourceKey: [ResourceKey: Entry]]>([:])

  /// A subscription was made, changed or deleted.
  func heard(_ before: SNSSubscription?, _ after: SNSSubscription?) {
    let filter = after?.filter
    topics.withLock { topics in
      if let after {
        topics[after.topic, default: [:]][after.key] = Entry(record: after, filter: filter)
      } else if let before {
        topics[before.topic]?[before.key] = nil
        if topics[before.topic]?.isEmpty == true { topics[before.topic] = nil }
      }
    }
  }

  /// The subscriptions of a topic, in no order.
  func all(of topic: SNSTopic) -> [Entry] {
    topics.withLock { topics in topics[topic.key]?.values.filter { $0.record.store == topic.store } ?? [] }
  }
}
