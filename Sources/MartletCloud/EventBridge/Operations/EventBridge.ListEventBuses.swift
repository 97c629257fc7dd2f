// ListEventBuses: the buses of the account, with the default one.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum ListEventBuses: Operation {
    static let route = Route.target("EventBridge.ListEventBuses")

    struct Input: Readable {
      let prefix: String
      let page: EventBridgePage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.string("NamePrefix", as: EventBridgeName.bus) ?? ""
        page = EventBridgePage(m)
      }
    }

    struct Output: Writable {
      let buses: [EventBus]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("EventBuses", buses) { w, bus in bus.writeSummary(to: &w) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      var buses = events.buses.list(call.place)
      let standard = ResourceKey(place: call.place, name: EventBridgeName.defaultBus)
      if events.buses.find(standard) == nil, let bus = events.find(standard) {
        buses.append(bus)
        buses.sort { $0.key.name < $1.key.name }
      }
      let (part, token) = try input.page.cut(buses.filter { $0.key.name.hasPrefix(input.prefix) }) { $0.key.name }
      return Output(buses: part, token: token)
    }
  }
}
