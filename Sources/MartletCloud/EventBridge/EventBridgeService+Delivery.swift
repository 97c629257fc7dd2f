// The way of an event: from a bus through the rules to what is owed to targets, all in one transaction; and from there
// to the targets, until they took it or it was given up.
import Logging
import MartletCore
import MartletStore
import MartletWire

extension EventBridgeService {
  /// An event that is to be put on a bus.
  struct Arrival: Sendable {
    let event: BusEvent
    let bus: ResourceKey
    var trace: String?
    /// Buses that it has been on.
    var chain = 0
    /// Of a replay: the rules that get it, by their ARNs; nil = all. Replayed events are not archived.
    var replay: Replay?

    struct Replay: Sendable {
      let rules: Set<String>?
    }
  }

  /// Puts events on their buses. When this returns, what follows from them is on disk.
  func take(_ arrivals: [Arrival]) async throws(AWSError) {
    var drafts: [Parcel.Draft] = []
    var kept: [ArchiveTable.Row] = []
    var matched: [[String]] = []
    let now = world.now()
    for arrival in arrivals {
      if arrival.replay == nil { kept += keepers.rows(for: arrival.event, on: arrival.bus, at: now) }
      let rules = (live.rules(of: arrival.bus)?.matching(arrival.event.json) ?? []).filter { rule in
        arrival.replay?.rules?.contains(rule.rule.arn) ?? true
      }
      for rule in rules { drafts += self.drafts(arrival, rule, now) }
      matched.append(rules.map(\.rule.arn))
    }
    defer { for rules in matched { tallies.accepted(rules) } }
    guard !drafts.isEmpty || !kept.isEmpty else { return }
    let (parcels, rows) = (drafts, kept)
    do throws(Fault) {
      try await outbox.put { session in
        try ArchiveTable.write(rows, session)
        return ((), parcels)
      }
    } catch {
      throw .service("\(error)")
    }
    if let days = rows.map(\.retentionDays).filter({ $0 > 0 }).min() { forget(at: now + .seconds(days * 86400)) }
  }

  private func drafts(_ arrival: Arrival, _ rule: LiveRule, _ now: Timestamp) -> [Parcel.Draft] {
    let circumstances = InputTransformer.Circumstances(
      ruleARN: rule.rule.arn, ruleName: rule.rule.name, ingested: now)
    return rule.targets.map { prepared in
      let delivery = EventDelivery(
        arrival.event, input: prepared.input(arrival.event, circumstances), to: prepared.target, of: rule.rule,
        trace: arrival.trace, requestID: RequestID(from: world), chain: arrival.chain,
        partitionKey: prepared.partitionKey(arrival.event))
      // Messages of a group keep their order as long as nothing is in their way.
      return Parcel.Draft(target: prepared.target.arn, lane: prepared.target.messageGroup ?? "", body: delivery.body)
    }
  }

  /// Sends the event of a schedule to the targets of its rule.
  /// - Parameters:
  ///   - time: when it was due.
  ///   - more: writes what belongs into the same transaction.
  package func fire(
    _ rule: EventRule, at time: Timestamp, with more: @escaping @Sendable (SQLSession) throws(Fault) -> Void
  ) async throws(AWSError) {
    let entry = EventBridge.PutEvents.Entry(
      source: "aws.events", detailType: "Scheduled Event", detail: "{}", resources: [rule.arn])
    let event = BusEvent(
      id: RequestID(from: world).description, entry, detail: "{}", tree: .object([]), place: rule.key.place, time: time)
    let now = world.now()
    let circumstances = InputTransformer.Circumstances(ruleARN: rule.arn, ruleName: rule.name, ingested: now)
    let drafts = rule.targets.map { target in
      let prepared = PreparedTarget(target)
      let delivery = EventDelivery(
        event, input: prepared.input(event, circumstances), to: target, of: rule, trace: nil,
        requestID: RequestID(from: world), chain: 0, partitionKey: prepared.partitionKey(event))
      return Parcel.Draft(target: target.arn, lane: target.messageGroup ?? "", body: delivery.body)
    }
    do throws(Fault) {
      try await outbox.put { session in
        try more(session)
        return ((), drafts)
      }
    } catch {
      throw .service("\(error)")
    }
  }

  // MARK: - To the target

  /// One attempt.
  func deliver(_ parcel: Parcel) async -> Parcel.Fate {
    guard let delivery = EventDelivery(body: parcel.body) else {
      log.error("a delivery is damaged and was dropped", metadata: ["to": "\(parcel.target)"])
      return .over
    }
    do throws(AWSError) {
      try await send(delivery)
      tallies.note(delivery.rule) { $0.delivered += 1 }
      return .over
    } catch {
      tallies.note(delivery.rule) { tally in
        tally.failures += 1
        tally.lastFailure = "\(delivery.target): \(error.code): \(error.message)"
      }
      let age = world.now() - parcel.created
      switch delivery.verdict(after: error, failures: parcel.attempts, age: age) {
      case .again(let pause): return .again(after: pause)
      case .giveUp(let exhausted):
        return await bury(delivery, error, exhausted: exhausted, attempts: parcel.attempts)
      }
    }
  }

  /// To the target's dead-letter queue, or nowhere.
  private func bury(
    _ delivery: EventDelivery, _ error: AWSError, exhausted: String?, attempts: Int
  ) async -> Parcel.Fate {
    let metadata: Logger.Metadata = [
      "rule": "\(delivery.rule)", "target": "\(delivery.target)", "code": "\(error.code)",
      "error": "\(error.note ?? error.message)",
    ]
    guard let letters = delivery.deadLetters, let arn = ARN(letters) else {
      tallies.note(delivery.rule) { $0.dropped += 1 }
      log.error("an event could not be delivered and was dropped", metadata: metadata)
      return .over
    }
    do throws(AWSError) {
      try await send(
        delivery.event, to: letters,
        attributes: delivery.attributes(error, exhausted: exhausted, attempts: attempts), call(arn, delivery))
      tallies.note(delivery.rule) { $0.deadLetters += 1 }
      return .over
    } catch {
      if error.status >= 500, error.status != 501 { return .again(after: .seconds(5)) }
      tallies.note(delivery.rule) { $0.dropped += 1 }
      log.error(
        "an event could not be delivered, nor could its dead letter",
        metadata: metadata.merging(["queue": "\(letters)", "refusal": "\(error.message)"]) { $1 })
      return .over
    }
  }
}
