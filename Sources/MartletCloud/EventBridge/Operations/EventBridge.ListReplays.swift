// ListReplays: the replays of the account, by the beginning of their names, by archive, or by state.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListReplays.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum ListReplays: Operation {
    static let route = Route.target("EventBridge.ListReplays")

    struct Input: Readable {
      let prefix: String?
      let state: String?
      let source: String?
      let page: EventBridgePage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.string("NamePrefix", as: EventBridgeName.rule)
        state = m.string("State", .oneOf(EventReplay.State.allCases.map(\.rawValue)))
        source = m.string("EventSourceArn", as: EventBridgeName.source)
        page = EventBridgePage(m)
      }
    }

    struct Output: Writable {
      let replays: [EventReplay]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Replays", replays) { w, replay in replay.writeSummary(to: &w) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      guard [input.prefix, input.source, input.state].count(where: { $0 != nil }) < 2 else {
        throw .eventsInvalid(
          "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix.")
      }
      let replays = events.replays.list(call.place).filter { replay in
        replay.key.name.hasPrefix(input.prefix ?? "") && replay.source == (input.source ?? replay.source)
          && replay.state.rawValue == (input.state ?? replay.state.rawValue)
      }
      let (part, token) = try input.page.cut(replays) { $0.key.name }
      return Output(replays: part, token: token)
    }
  }
}
