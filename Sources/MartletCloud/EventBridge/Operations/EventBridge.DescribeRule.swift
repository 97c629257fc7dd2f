// DescribeRule: one rule, without its targets.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html
import MartletCore
import MartletWire

extension EventBridge {
  enum DescribeRule: Operation {
    static let route = Route.target("EventBridge.DescribeRule")

    struct Input: Readable {
      let name: String
      let bus: BusReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name", as: EventBridgeName.rule)
        bus = m.bus()
      }
    }

    struct Output: Writable {
      let rule: EventRule

      func write(to w: inout Writer) {
        w.body { w in
          rule.write(to: &w)
          w.member("CreatedBy", rule.key.place.account.id)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      Output(rule: try events.rule(RuleKey(input.bus.key(call), input.name)))
    }
  }
}
