// CancelReplay: ends a replay before it is through.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CancelReplay.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum CancelReplay: Operation {
    static let route = Route.target("EventBridge.CancelReplay")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = try r.body().required("ReplayName", as: EventBridgeName.rule)
      }
    }

    typealias Output = EventReplay.Change

    static func answer(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) async throws(AWSError) -> EventReplay.Change {
      let key = ResourceKey(place: call.place, name: input.name)
      let replay = try await events.replays.change(key) { record throws(AWSError) in
        guard var replay = record else { throw .eventsNoReplay(input.name) }
        guard replay.state == .starting || replay.state == .running else {
          throw .eventsIllegalStatus("Replay \(input.name)")
        }
        replay.state = .cancelling
        record = replay
        return replay
      }
      return EventReplay.Change(replay: replay)
    }
  }
}
