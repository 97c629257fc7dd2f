// ListRuleNamesByTarget: the rules of a bus that send events to a target.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html
import MartletCore
import MartletWire

extension EventBridge {
  enum ListRuleNamesByTarget: Operation {
    static let route = Route.target("EventBridge.ListRuleNamesByTarget")

    struct Input: Readable {
      let target: String
      let bus: BusReference
      let page: EventBridgePage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        target = m.required("TargetArn", as: EventBridgeName.arn)
        bus = m.bus()
        page = EventBridgePage(m)
      }
    }

    struct Output: Writable {
      let names: [String]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("RuleNames", names)
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let bus = try events.bus(input.bus.key(call))
      let rules = events.rules(of: bus.key).filter { $0.targets.contains { $0.arn == input.target } }
      let (part, token) = try input.page.cut(rules.map(\.name)) { $0 }
      return Output(names: part, token: token)
    }
  }
}
