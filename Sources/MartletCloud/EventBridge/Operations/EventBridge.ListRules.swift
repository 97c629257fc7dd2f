// ListRules: the rules of a bus, without their targets.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html
import MartletCore
import MartletWire

extension EventBridge {
  enum ListRules: Operation {
    static let route = Route.target("EventBridge.ListRules")

    struct Input: Readable {
      let prefix: String
      let bus: BusReference
      let page: EventBridgePage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.string("NamePrefix", as: EventBridgeName.rule) ?? ""
        bus = m.bus()
        page = EventBridgePage(m)
      }
    }

    struct Output: Writable {
      let rules: [EventRule]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Rules", rules) { w, rule in rule.write(to: &w) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let bus = try events.bus(input.bus.key(call))
      let rules = events.rules(of: bus.key).filter { $0.name.hasPrefix(input.prefix) }
      let (part, token) = try input.page.cut(rules) { $0.name }
      return Output(rules: part, token: token)
    }
  }
}
