// ListTargetsByRule: the targets of a rule.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html
import MartletCore
import MartletWire

extension EventBridge {
  enum ListTargetsByRule: Operation {
    static let route = Route.target("EventBridge.ListTargetsByRule")

    struct Input: Readable {
      let rule: String
      let bus: BusReference
      let page: EventBridgePage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        rule = m.required("Rule", as: EventBridgeName.rule)
        bus = m.bus()
        page = EventBridgePage(m)
      }
    }

    struct Output: Writable {
      let targets: [RuleTarget]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Targets", targets) { w, target in
            for member in target.json.members ?? [] { w.member(member.name, member.value) }
          }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let rule = try events.rule(RuleKey(input.bus.key(call), input.rule))
      let (part, token) = try input.page.cut(rule.targets.sorted { $0.id < $1.id }) { $0.id }
      return Output(targets: part, token: token)
    }
  }
}
