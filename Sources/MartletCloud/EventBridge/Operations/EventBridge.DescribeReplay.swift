// DescribeReplay: one replay, and how far it is.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeReplay.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum DescribeReplay: Operation {
    static let route = Route.target("EventBridge.DescribeReplay")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = try r.body().required("ReplayName", as: EventBridgeName.rule)
      }
    }

    struct Output: Writable {
      let replay: EventReplay

      func write(to w: inout Writer) {
        w.body { w in
          w.member("ReplayArn", replay.arn)
          w.member("Description", replay.description)
          w.object("Destination") { w in
            w.member("Arn", replay.destination)
            w.member("FilterArns", replay.rules)
          }
          replay.writeSummary(to: &w)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      guard let replay = events.replays.find(ResourceKey(place: call.place, name: input.name)) else {
        throw .eventsNoReplay(input.name)
      }
      return Output(replay: replay)
    }
  }
}
