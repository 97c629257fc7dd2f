// DescribeEventBus: one bus, the default one unless another is named.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html
import MartletCore
import MartletWire

extension EventBridge {
  enum DescribeEventBus: Operation {
    static let route = Route.target("EventBridge.DescribeEventBus")

    struct Input: Readable {
      let bus: BusReference

      init(_ r: Reader) throws(AWSError) {
        bus = BusReference(try r.body().string("Name", as: EventBridgeName.busOrARN))
      }
    }

    struct Output: Writable {
      let bus: EventBus

      func write(to w: inout Writer) {
        w.body { w in
          bus.writeSummary(to: &w)
          bus.writeSettings(to: &w)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      Output(bus: try events.bus(input.bus.key(call)))
    }
  }
}
