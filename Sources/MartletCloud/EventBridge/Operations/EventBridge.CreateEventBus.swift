// CreateEventBus: an event bus of the account's own.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum CreateEventBus: Operation {
    static let route = Route.target("EventBridge.CreateEventBus")

    struct Input: Readable {
      let name: String
      let partner: String?
      let settings: EventBusSettings
      let tags: [EventBridgeTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name", as: EventBridgeName.bus)
        partner = m.string(
          "EventSourceName", .length(1, 256), .pattern(Pattern(#"aws\.partner(/[\.\-_A-Za-z0-9]+){2,}"#)))
        settings = EventBusSettings(m)
        tags = m.eventBridgeTags() ?? []
      }
    }

    struct Output: Writable {
      let bus: EventBus

      func write(to w: inout Writer) {
        w.body { w in
          w.member("EventBusArn", bus.arn)
          w.member("Description", bus.description)
          bus.writeSettings(to: &w)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      if let partner = input.partner {
        throw .notImplemented("EventBridge.CreateEventBus for a partner's events (\(partner))")
      }
      guard !input.name.contains("/") else { throw .eventsInvalid("Event bus name must not contain '/'.") }
      let key = ResourceKey(place: call.place, name: input.name)
      var bus = EventBus(key: key, created: events.now, tags: EventBridgeTag.merge([], input.tags))
      input.settings.apply(to: &bus)
      let made = bus
      try await events.buses.change(key) { record throws(AWSError) in
        guard events.newest(key) == nil else { throw .eventsExists("Event bus \(key.name)") }
        record = made
      }
      return Output(bus: made)
    }
  }
}
