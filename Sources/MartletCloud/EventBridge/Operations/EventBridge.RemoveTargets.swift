// RemoveTargets: takes targets from a rule; those that it does not have are told one by one.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum RemoveTargets: Operation {
    static let route = Route.target("EventBridge.RemoveTargets")

    struct Input: Readable {
      let rule: String
      let bus: BusReference
      let ids: [String]
      let isForced: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        rule = m.required("Rule", as: EventBridgeName.rule)
        bus = m.bus()
        ids = m.requiredStrings("Ids", count: 1...100, each: EventBridgeName.rule)
        isForced = m.bool("Force") ?? false
      }
    }

    typealias Output = TargetFailures

    static func answer(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) async throws(AWSError) -> TargetFailures {
      let id = RuleKey(input.bus.key(call), input.rule)
      let known = Set(try events.rule(id).targets.map(\.id))
      try await events.change(id) { (rule: inout EventRule) throws(AWSError) in
        if rule.managedBy != nil, !input.isForced { throw .eventsManagedRule(rule.name) }
        rule.targets.removeAll { input.ids.contains($0.id) }
      }
      return TargetFailures(
        entries: input.ids.filter { !known.contains($0) }.map { missing in
          (missing, .eventsNotThere("Rule \(id.name) does not have a target with the Id \(missing)."))
        })
    }
  }
}
