// Publishing: a message is checked, filtered for each subscription, and on disk for all that want it before the answer.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension SNSService {
  /// A message that was checked against its topic and may be published.
  struct Draft: Sendable {
    let outgoing: SNS.Outgoing
    let id: String
    /// The texts by protocol, where the message has several; `default` for the others.
    var texts: [String: String] = [:]
    /// Of FIFO topics.
    var deduplicationID: String?
    /// Under which it is known for five minutes.
    var scope: String?

    func text(for channel: SNSSubscription.Channel) -> String {
      texts[channel.rawValue] ?? texts["default"] ?? outgoing.message
    }
  }

  /// - Throws: AWS's words for what is wrong with the message.
  func draft(_ outgoing: SNS.Outgoing, for topic: SNSTopic) throws(AWSError) -> Draft {
    guard !outgoing.message.isEmpty else { throw .snsInvalid("Empty message") }
    if let subject = outgoing.subject, !MessageRules.isSubject(subject) { throw .snsInvalid("Subject") }
    try MessageRules.check(outgoing.attributes)
    guard outgoing.size <= topic.largestMessage else { throw .snsInvalid("Message too long") }
    var draft = Draft(outgoing: outgoing, id: RequestID(from: world).description)
    try MessageRules.checkGroup(outgoing, topic)
    if topic.isFIFO {
      guard let id = outgoing.deduplicationID ?? (topic.isContentBased ? hash(outgoing.message) : nil) else {
        throw .snsInvalid(
          "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )
      }
      draft.deduplicationID = id
      draft.scope = topic.isDeduplicatedByGroup ? "\(outgoing.groupID ?? "")\n\(id)" : id
    }
    switch outgoing.structure {
    case nil: break
    case "json": draft.texts = try MessageRules.texts(outgoing.message)
    default: throw .snsInvalid("MessageStructure")
    }
    return draft
  }

  private func hash(_ text: String) -> String { Digest.hex(Digest.sha256(text)) }

  /// Publishes messages that were checked, in their order. When this returns, every delivery is on disk.
  func publish(_ drafts: [Draft], to topic: SNSTopic, _ call: Call) async throws(AWSError) -> [SNS.Published] {
    let now = self.now
    let entries = index.all(of: topic).filter { $0.record.state == .confirmed }
    // What is owed for each message, before it is known whether a FIFO topic has it already.
    var owed: [(parcels: [SubscriptionIndex.Entry], filtered: Int)] = []
    for draft in drafts {
      let wanted = entries.filter { entry in
        entry.record.channel != .email && entry.record.channel != .emailJSON
      }
      let matching = wanted.filter { entry in
        entry.filter?.matches(draft.text(for: entry.record.channel), draft.outgoing.attributes) ?? true
      }
      owed.append((matching, wanted.count - matching.count))
    }
    let debts = owed
    do throws(Fault) {
      if !topic.isFIFO {
        let owed = zip(drafts, debts).flatMap { parcels($0, $1.parcels, topic, now, sequence: nil, call) }
        if !owed.isEmpty { try await outbox.put(owed) }
        count(drafts.map(\.outgoing.size), filtered: debts.reduce(0) { $0 + $1.filtered }, topic.key)
        return drafts.map { SNS.Published(id: $0.id) }
      }
      return try await publishInOrder(drafts, debts, topic, now, call)
    } catch {
      throw .service("\(error)")
    }
  }

  /// - Parameter published: sizes in bytes.
  private func count(_ published: [Int], filtered: Int, _ topic: ResourceKey) {
    totals.withLock { totals in
      totals.published += published.count
      totals.filtered += filtered
    }
    note(topic) { tally in
      for size in published { tally.published(size: size) }
      tally.filtered += filtered
    }
  }

  /// The same for a FIFO topic, which gives each message a number and takes none twice.
  private func publishInOrder(
    _ drafts: [Draft], _ debts: [(parcels: [SubscriptionIndex.Entry], filtered: Int)], _ topic: SNSTopic, _ now: Int64,
    _ call: Call
  ) async throws(Fault) -> [SNS.Published] {
    let remembered = drafts.compactMap(\.scope).map { SNSService.scope(topic.store, $0) }
    do throws(Fault) {
      let (published, fresh, filtered) = try await outbox.put { session in
        if self.mustSweep(now) {
          try session.execute(
            "DELETE FROM sns_deduplication WHERE sent < ?", [.integer(now - Deduplication.interval)])
        }
        var published: [SNS.Published] = []
        var parcels: [Parcel.Draft] = []
        var (fresh, filtered): ([Int], Int) = ([], 0)
        for (draft, debt) in zip(drafts, debts) {
          let scope = draft.scope ?? ""
          let name = SNSService.scope(topic.store, scope)
          if let known = self.deduplication.withLock({ $0.find(name, now: now) }) {
            published.append(.init(id: known.message, sequenceNumber: StoredMessage.number(known.sequence)))
            continue
          }
          let sequence = self.nextSequence()
          try session.remember(scope, draft.id, sequence: sequence, sent: now, store: topic.store)
          self.deduplication.withLock {
            $0.insert(name, .init(message: draft.id, sequence: sequence, sent: now))
          }
          parcels += self.parcels(draft, debt.parcels, topic, now, sequence: sequence, call)
          fresh.append(draft.outgoing.size)
          filtered += debt.filtered
          published.append(.init(id: draft.id, sequenceNumber: StoredMessage.number(sequence)))
        }
        return ((published, fresh, filtered), parcels)
      }
      count(fresh, filtered: filtered, topic.key)
      return published
    } catch {
      // Nothing of it is on disk.
      deduplication.withLock { known in for name in remembered { known.remove(name) } }
      throw error
    }
  }

  private func parcels(
    _ draft: Draft, _ entries: [SubscriptionIndex.Entry], _ topic: SNSTopic, _ now: Int64, sequence: Int64?,
    _ call: Call
  ) -> [Parcel.Draft] {
    // Messages of several subscriptions differ by protocol at most.
    var bodies: [SNSSubscription.Channel: [UInt8]] = [:]
    return entries.map { entry in
      let channel = entry.record.channel
      let body =
        bodies[channel]
        ?? {
          var notification = Notification(
            id: draft.id, topic: topic.arn, message: draft.text(for: channel), published: now)
          notification.subject = draft.outgoing.subject
          notification.attributes = draft.outgoing.attributes
          notification.signatureVersion = topic.isFIFO ? nil : topic.signatureVersion
          notification.sequenceNumber = sequence.map { StoredMessage.number($0) }
          notification.groupID = draft.outgoing.groupID
          notification.deduplicationID = draft.deduplicationID
          notification.traceHeader = call.traceHeader
          return notification.parcel
        }()
      bodies[channel] = body
      return Parcel.Draft(
        target: entry.record.arn, lane: topic.isFIFO ? draft.outgoing.groupID ?? "" : "", body: body)
    }
  }
}

extension SQLSession {
  fileprivate func remember(
    _ id: String, _ message: String, sequence: Int64, sent: Int64, store: Int64
  ) throws(Fault) {
    try execute(
      """
      INSERT INTO sns_deduplication (store, id, message, sequence, sent) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (store, id) DO UPDATE SET
        message = excluded.message, sequence = excluded.sequence, sent = excluded.sent
      """, [.integer(store), .text(id), .text(message), .integer(sequence), .integer(sent)])
  }
}
