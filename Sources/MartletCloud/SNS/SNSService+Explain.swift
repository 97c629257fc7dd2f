// Why a subscription did not get a message: docs/explain.md.
import MartletCore
import MartletStore
import MartletWire

extension SNSService {
  /// - Parameter arn: of the subscription.
  /// - Returns: nil if there is no such subscription.
  package func explain(subscription arn: String) -> Explanation? {
    guard let key = try? SubscriptionReference(arn).key, let record = subscriptions.find(key) else { return nil }
    var found = Explanation("the subscription \(arn)")
    found.says("It passes messages of \(record.topic.name) on to \(record.endpoint) (\(record.channel.rawValue)).")
    if topics.find(record.topic)?.store != record.store { found.stops("Its topic was deleted.") }
    switch record.state {
    case .pending: found.stops("It waits for its confirmation (PendingConfirmation).")
    case .confirmed: found.holds("It is confirmed.")
    case .deleted: found.stops("It was deleted.")
    }
    if let policy = record.attributes["FilterPolicy"], !policy.isEmpty {
      let scope = record.attributes["FilterPolicyScope"] ?? "MessageAttributes"
      found.says("It takes only messages whose \(scope) match \(policy)")
    }
    if record.attributes["RedrivePolicy"] == nil {
      found.says("It has no dead-letter queue: what cannot be delivered is lost.")
    }
    if record.channel == .lambda {
      let topic = ARN(service: "sns", place: record.topic.place, resource: record.topic.name).description
      found.calls.append(.init(function: record.endpoint, principal: "sns.amazonaws.com", source: topic))
    }
    return found
  }
}
