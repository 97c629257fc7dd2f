// UpdateEventBus: changes a bus's description, key, dead-letter queue and logging.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateEventBus.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum UpdateEventBus: Operation {
    static let route = Route.target("EventBridge.UpdateEventBus")

    struct Input: Readable {
      let name: String?
      let settings: EventBusSettings

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.string("Name", as: EventBridgeName.bus)
        settings = EventBusSettings(m)
      }
    }

    struct Output: Writable {
      let bus: EventBus

      func write(to w: inout Writer) {
        w.body { w in
          w.member("Arn", bus.arn)
          w.member("Name", bus.key.name)
          w.member("Description", bus.description)
          bus.writeSettings(to: &w)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let key = BusReference(input.name).key(call)
      try await events.change(key) { (bus: inout EventBus) throws(AWSError) in input.settings.apply(to: &bus) }
      return Output(bus: try events.bus(key))
    }
  }
}
