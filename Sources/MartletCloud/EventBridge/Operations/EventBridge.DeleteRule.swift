// DeleteRule: deletes a rule without targets; that it is not there is no error.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum DeleteRule: Operation {
    static let route = Route.target("EventBridge.DeleteRule")

    struct Input: Readable {
      let name: String
      let bus: BusReference
      let isForced: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name", as: EventBridgeName.rule)
        bus = m.bus()
        isForced = m.bool("Force") ?? false
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      let id = RuleKey(input.bus.key(call), input.name)
      _ = try events.bus(id.bus)
      guard events.rules.find(id.catalogue) != nil else { return Empty() }
      try await events.rules.change(id.catalogue) { record throws(AWSError) in
        if record?.managedBy != nil, !input.isForced { throw .eventsManagedRule(id.name) }
        if record?.targets.isEmpty == false { throw .eventsRuleHasTargets() }
        record = nil
      }
      return Empty()
    }
  }
}
