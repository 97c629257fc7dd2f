// PutEvents: puts events on buses. It is answered when what they match is on disk; an entry that is wrong is refused
// by itself. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
import Logging
import MartletCore
import MartletWire

extension EventBridge.PutEvents: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ events: EventBridgeService
  ) async throws(AWSError) -> Output {
    if let endpoint = input.endpoint {
      throw .notImplemented("EventBridge.PutEvents to a global endpoint (\(endpoint))")
    }
    guard input.entries.reduce(0, { $0 + $1.size }) <= EventBridge.largestRequest else { throw .eventsTooLarge() }
    var results: [Result] = []
    var arrivals: [EventBridgeService.Arrival] = []
    for entry in input.entries {
      do throws(Refusal) {
        let event = try event(entry, call, events)
        arrivals.append(
          EventBridgeService.Arrival(
            event: event, bus: BusReference(entry.bus).key(call), trace: entry.traceHeader ?? call.traceHeader))
        results.append(.put(id: event.id))
      } catch {
        results.append(.failed(code: error.code, message: error.message))
      }
    }
    for arrival in arrivals where events.find(arrival.bus) == nil {
      // AWS takes such events and drops them.
      events.log.notice(
        "an event for a bus that is not there was dropped",
        metadata: ["bus": "\(arrival.bus.name)", "event": "\(arrival.event.id)"])
    }
    try await events.take(arrivals.filter { events.find($0.bus) != nil })
    return Output(results: results)
  }

  /// Services tell of themselves, except for the one that says what others told it to say.
  private static func speaksForAWS(_ caller: Principal) -> Bool {
    if case .service(let name) = caller { name != "scheduler.amazonaws.com" } else { false }
  }

  private struct Refusal: Error {
    let code: String
    let message: String

    static func missing(_ name: String) -> Refusal {
      Refusal(
        code: "InvalidArgument", message: "Parameter \(name) is not valid. Reason: \(name) is a required argument.")
    }
  }

  private static func event(
    _ entry: Entry, _ call: Call, _ events: EventBridgeService
  ) throws(Refusal) -> BusEvent {
    if entry.source.isEmpty { throw .missing("Source") }
    if entry.detailType.isEmpty { throw .missing("DetailType") }
    if entry.detail.isEmpty { throw .missing("Detail") }
    if entry.source.hasPrefix("aws."), !speaksForAWS(call.caller) {
      throw Refusal(code: "NotAuthorizedForSourceException", message: "Not authorized for the source.")
    }
    guard let tree = try? JSONValue(parsing: entry.detail), tree.members != nil else {
      throw Refusal(code: "MalformedDetail", message: "Detail is malformed.")
    }
    return BusEvent(
      id: RequestID(from: events.world).description, entry, detail: entry.detail, tree: tree, place: call.place,
      time: entry.time ?? events.world.now())
  }
}

extension EventBridge.PutEvents.Entry {
  /// Bytes that count against the limit of the request.
  /// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
  var size: Int {
    (time == nil ? 0 : 14) + source.utf8.count + detailType.utf8.count + detail.utf8.count
      + resources.reduce(0) { $0 + $1.utf8.count }
  }
}
