// StartReplay: brings the events of an archive that happened in a span of time back to their bus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum StartReplay: Operation {
    static let route = Route.target("EventBridge.StartReplay")

    struct Input: Readable {
      let name: String
      let description: String?
      let source: String
      /// Milliseconds since 1970.
      let from: Int64
      let to: Int64
      let destination: String
      let rules: [String]?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("ReplayName", as: EventBridgeName.rule)
        description = m.string("Description", as: EventBridgeName.lineDescription)
        source = m.required("EventSourceArn", as: EventBridgeName.source)
        from = Input.moment("EventStartTime", m, r)
        to = Input.moment("EventEndTime", m, r)
        let inner = m.requiredObject("Destination")
        destination = inner?.required("Arn", as: EventBridgeName.arn) ?? ""
        rules = inner?.strings("FilterArns", each: EventBridgeName.arn)
      }

      private static func moment(_ name: String, _ m: Members, _ r: Reader) -> Int64 {
        if !m.contains(name) {
          r.violate(
            "Value null at '\(Reader.lowerCamel(name))' failed to satisfy constraint: Member must not be null")
        }
        return Int64(min(max(m.moment(name) ?? 0, -9e9), 9e9) * 1000)
      }
    }

    typealias Output = EventReplay.Change

    static func answer(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) async throws(AWSError) -> EventReplay.Change {
      let archive = try archive(input, call, events)
      let replay = try replay(input, of: archive, call, events)
      try await events.replays.change(replay.key) { record throws(AWSError) in
        if record != nil { throw .eventsExists("Replay \(input.name)") }
        record = replay
      }
      events.starts.yield(replay.key)
      return EventReplay.Change(replay: replay, isStart: true)
    }

    private static func archive(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) throws(AWSError) -> EventArchive {
      guard let arn = ARN(input.source), arn.resource.hasPrefix("archive/") else {
        throw .eventsInvalid("EventSourceArn", "Must contain an archive ARN.")
      }
      let name = String(arn.resource.dropFirst("archive/".count))
      guard let archive = events.archives.find(ResourceKey(place: call.place, name: name)) else {
        throw .eventsInvalid("EventSourceArn", "Archive \(name) does not exist.")
      }
      return archive
    }

    private static func replay(
      _ input: Input, of archive: EventArchive, _ call: Call, _ events: EventBridgeService
    ) throws(AWSError) -> EventReplay {
      guard let arn = ARN(input.destination), arn.resource.hasPrefix("event-bus/") else {
        throw .eventsInvalid("Destination.Arn", "Must contain an event bus ARN.")
      }
      let bus = BusReference(input.destination).key(call)
      guard events.find(bus) != nil else { throw .eventsNoBus(bus.name) }
      guard bus == archive.bus else {
        throw .eventsInvalid("Destination.Arn", "Cross event bus replay is not permitted.")
      }
      guard input.from < input.to else {
        throw .eventsInvalid("EventEndTime", "EventStartTime must be before EventEndTime.")
      }
      for text in input.rules ?? [] {
        guard let rule = ARN(text).flatMap({ RuleKey(resource: $0.resource, in: bus.place) }), rule.bus == bus else {
          throw .eventsInvalid("Destination.FilterArns", "\(text) is not the ARN of a rule of the event bus.")
        }
        _ = try events.rule(rule)
      }
      var replay = EventReplay(
        key: ResourceKey(place: call.place, name: input.name), source: input.source, from: input.from, to: input.to,
        destination: input.destination, rules: input.rules.flatMap { $0.isEmpty ? nil : $0 }, started: events.now)
      replay.description = input.description
      return replay
    }
  }
}
