// Subscribing and confirming: endpoints of Lambda and SQS are confirmed at once, others say so themselves.
// https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension SNSService {
  /// Makes a subscription, or finds the one that is there for the endpoint.
  func subscribe(
    _ topic: SNSTopic, _ channel: SNSSubscription.Channel, _ endpoint: String,
    _ given: [(key: String, value: String)], _ call: Call
  ) async throws(AWSError) -> SNSSubscription {
    try SNSSubscription.checkEndpoint(endpoint, channel, topic: topic.key)
    let attributes = try checked(given, channel, topic)
    let key = ResourceKey(place: topic.key.place, name: "\(topic.key.name):\(RequestID(from: world))")
    var made = SNSSubscription(
      key: key, topic: topic, channel: channel, endpoint: endpoint, attributes: attributes,
      state: channel.needsConfirmation ? .pending : .confirmed, token: newToken(), since: now, host: call.host,
      principal: call.identity.arn)
    made.wasAuthenticated = made.state == .confirmed && call.caller != .anonymous
    let new = made
    let filters = index.all(of: topic).count { $0.filter != nil }
    let record = try await subscriptions.change(key) { record throws(AWSError) -> SNSSubscription in
      guard self.topics.newest(topic.key)?.store == topic.store else { throw .snsNoTopic() }
      let name = Endpoint(new)
      if let known = self.endpoints.withLock({ $0[name] }), let there = self.subscriptions.newest(known),
        there.state != .deleted
      {
        let shown = there.shown(nil)
        for (name, value) in attributes where (shown.first { $0.key == name }?.value ?? "") != value {
          throw .snsSubscriptionDiffers()
        }
        return there
      }
      guard attributes["FilterPolicy"] == nil || filters < SNSService.mostFilters else { throw .snsTooManyFilters() }
      self.endpoints.withLock { $0[name] = key }
      record = new
      return new
    }
    if record.state == .pending {
      if record.key == key { expire(record) }
      if channel.isHTTP { try await ask(record, topic) }
    }
    return record
  }

  private func checked(
    _ given: [(key: String, value: String)], _ channel: SNSSubscription.Channel, _ topic: SNSTopic
  ) throws(AWSError) -> [String: String] {
    var attributes: [String: String] = [:]
    for (name, value) in given { SNSSubscription.set(name, value, in: &attributes) }
    for (name, value) in given {
      try SNSSubscription.check(
        name, value, attributes, channel: channel, topic: topic.key, isCreation: true)
    }
    return attributes
  }

  private func newToken() -> String { randomHex(128, from: world) }

  /// Sends the endpoint what it confirms with.
  private func ask(_ record: SNSSubscription, _ topic: SNSTopic) async throws(AWSError) {
    var notification = Notification(
      id: RequestID(from: world).description, topic: topic.arn,
      message:
        "You have chosen to subscribe to the topic \(topic.arn).\nTo confirm the subscription, visit the SubscribeURL included in this message.",
      published: now)
    notification.kind = .confirmation
    try await send(notification, record, topic)
  }

  private func send(
    _ draft: Notification, _ record: SNSSubscription, _ topic: SNSTopic
  ) async throws(AWSError) {
    var notification = draft
    notification.token = record.token
    notification.signatureVersion = topic.signatureVersion
    do throws(Fault) {
      try await outbox.put([Parcel.Draft(target: record.arn, body: notification.parcel)])
    } catch {
      throw .service("\(error)")
    }
  }

  /// Confirms the subscription that a token was sent for.
  func confirm(
    _ token: String, of topic: SNSTopic, isProtected: Bool, _ call: Call
  ) async throws(AWSError) -> SNSSubscription {
    guard !token.isEmpty, let found = index.all(of: topic).first(where: { $0.record.token == token }) else {
      throw .snsInvalid("Token")
    }
    let now = self.now
    return try await subscriptions.change(found.record.key) { record throws(AWSError) -> SNSSubscription in
      guard var there = record else { throw .snsInvalid("Token") }
      if there.state == .deleted {
        // Another subscription may stand in its place by now.
        let place = Endpoint(there)
        if let other = self.endpoints.withLock({ $0[place] }), other != there.key,
          self.subscriptions.newest(other) != nil
        {
          throw .snsInvalid("Token")
        }
      }
      guard there.state != .confirmed else { return there }
      there.state = .confirmed
      there.since = now
      there.wasAuthenticated = call.caller != .anonymous
      there.isProtected = isProtected && there.wasAuthenticated
      record = there
      return there
    }
  }

  /// Ends a subscription. If its owner does not, its endpoint is told, and can take that back.
  func unsubscribe(_ record: SNSSubscription, _ call: Call) async throws(AWSError) {
    let now = self.now
    let isOwner = call.caller != .anonymous
    let isKept = !isOwner && record.channel.isHTTP
    let ended = try await subscriptions.change(record.key) { (stored) throws(AWSError) -> SNSSubscription? in
      guard var there = stored, there.state == .confirmed || isOwner else { return nil }
      guard isKept else {
        stored = nil
        return there
      }
      there.state = .deleted
      there.since = now
      stored = there
      return there
    }
    guard let ended else { return }
    try await topics.change(record.topic) { topic throws(AWSError) in topic?.deleted += 1 }
    guard isKept, let topic = topics.find(record.topic) else { return }
    expire(ended)
    var notification = Notification(
      id: RequestID(from: world).description, topic: topic.arn,
      message:
        "You have chosen to deactivate subscription \(record.arn).\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.",
      published: now)
    notification.kind = .goodbye
    try await send(notification, ended, topic)
  }
}
