// TestEventPattern: whether an event matches a pattern.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
import MartletCore
import MartletWire

extension EventBridge {
  enum TestEventPattern: Operation {
    static let route = Route.target("EventBridge.TestEventPattern")

    struct Input: Readable {
      let pattern: String
      let event: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        pattern = m.required("EventPattern", as: EventBridgeName.eventPattern)
        event = m.required("Event", .length(nil, nil))
      }
    }

    struct Output: Writable {
      let result: Bool

      func write(to w: inout Writer) { w.body { $0.member("Result", result) } }
    }

    /// What an event must have. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    private static let members = ["id", "account", "source", "time", "region", "resources", "detail-type"]

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let pattern: EventPattern
      do throws(EventPatternFlaw) {
        pattern = try EventPattern(input.pattern, .rules)
      } catch {
        throw .eventsInvalidPattern(error)
      }
      guard let event = try? JSONValue(parsing: input.event), event.members != nil else {
        throw .eventsInvalid("Event", "The event is not a JSON object.")
      }
      let missing = members.filter { event[$0] == nil }
      guard missing.isEmpty else {
        throw .eventsInvalid("Event", "The event has no \(missing.joined(separator: ", ")).")
      }
      return Output(result: pattern.matches(event))
    }
  }
}
