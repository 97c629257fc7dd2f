// PutTargets: adds targets to a rule; one with an id that is there is replaced.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum PutTargets: Operation {
    static let route = Route.target("EventBridge.PutTargets")

    struct Input: Readable {
      let rule: String
      let bus: BusReference
      let targets: [RuleTarget]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        rule = m.required("Rule", as: EventBridgeName.rule)
        bus = m.bus()
        targets = m.requiredObjects("Targets", count: 1...100).map { RuleTarget($0) }
      }
    }

    typealias Output = TargetFailures

    static func answer(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) async throws(AWSError) -> TargetFailures {
      let id = RuleKey(input.bus.key(call), input.rule)
      _ = try events.rule(id)
      for target in input.targets { try target.check() }
      try await events.change(id) { (rule: inout EventRule) throws(AWSError) in
        if rule.managedBy != nil { throw .eventsManagedRule(rule.name) }
        for target in input.targets {
          if let position = rule.targets.firstIndex(where: { $0.id == target.id }) {
            rule.targets[position] = target
          } else {
            rule.targets.append(target)
          }
        }
        guard rule.targets.count <= EventBridge.targetsOfRule else { throw .eventsLimit() }
      }
      return TargetFailures()
    }
  }
}

/// The answer of PutTargets and RemoveTargets.
struct TargetFailures: Writable, Sendable {
  var entries: [(id: String, error: AWSError)] = []

  func write(to w: inout Writer) {
    w.body { w in
      w.member("FailedEntryCount", entries.count)
      w.list("FailedEntries", entries) { w, entry in
        w.member("TargetId", entry.id)
        w.member("ErrorCode", entry.error.code)
        w.member("ErrorMessage", entry.error.message)
      }
    }
  }
}
