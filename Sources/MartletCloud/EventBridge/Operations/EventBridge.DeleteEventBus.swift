// DeleteEventBus: deletes a bus without rules; that it is not there is no error.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteEventBus.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum DeleteEventBus: Operation {
    static let route = Route.target("EventBridge.DeleteEventBus")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = try r.body().required("Name", as: EventBridgeName.bus)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      let key = BusReference(input.name).key(call)
      guard key.name != EventBridgeName.defaultBus else {
        throw .eventsInvalid("Cannot delete event bus \(key.name).")
      }
      guard events.buses.find(key) != nil else { return Empty() }
      try await events.buses.change(key) { record throws(AWSError) in
        let hasRules = events.rules.newest(in: key.place).contains { $0.id.bus == key }
        if hasRules { throw .eventsBusHasRules(key.name) }
        record = nil
      }
      return Empty()
    }
  }
}
