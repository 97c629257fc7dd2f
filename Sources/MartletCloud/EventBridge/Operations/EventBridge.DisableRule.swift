// DisableRule: keeps events from matching a rule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum DisableRule: Operation {
    static let route = Route.target("EventBridge.DisableRule")

    struct Input: Readable {
      let name: String
      let bus: BusReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name", as: EventBridgeName.rule)
        bus = m.bus()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      let now = events.now
      try await events.change(RuleKey(input.bus.key(call), input.name)) { (rule: inout EventRule) throws(AWSError) in
        if rule.managedBy != nil { throw .eventsManagedRule(rule.name) }
        if rule.state != .disabled { rule.scheduled = now }
        rule.state = .disabled
      }
      return Empty()
    }
  }
}
