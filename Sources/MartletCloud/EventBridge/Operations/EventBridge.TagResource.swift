// TagResource: adds tags to a rule or a bus, or changes their values.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum TagResource: Operation {
    static let route = Route.target("EventBridge.TagResource")

    struct Input: Readable {
      let arn: String
      let tags: [EventBridgeTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.required("ResourceARN", as: EventBridgeName.arn)
        tags = m.requiredObjects("Tags").map { EventBridgeTag($0) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      try await events.changeTags(input.arn) { EventBridgeTag.merge($0, input.tags) }
      return Empty()
    }
  }
}

/// What tags are on.
enum TaggedEventResource {
  case bus(ResourceKey)
  case rule(RuleKey)

  /// nil of what has no tags here.
  init?(_ text: String) {
    guard let arn = ARN(text), arn.service == "events", let account = Account(arn.account),
      let region = Region(arn.region)
    else { return nil }
    let place = Place(account: account, region: region)
    if let rule = RuleKey(resource: arn.resource, in: place) {
      self = .rule(rule)
    } else if arn.resource.hasPrefix("event-bus/") {
      self = .bus(ResourceKey(place: place, name: String(arn.resource.dropFirst("event-bus/".count))))
    } else {
      return nil
    }
  }
}

extension EventBridgeService {
  func tags(_ arn: String) throws(AWSError) -> [EventBridgeTag] {
    switch TaggedEventResource(arn) {
    case .bus(let key): return try bus(key).tags
    case .rule(let id): return try rule(id).tags
    case nil:
      throw .eventsInvalid(
        "Parameter ResourceARN is not valid. Reason: \(arn) is not the ARN of a rule or an event bus.")
    }
  }

  func changeTags(
    _ arn: String, _ body: @escaping @Sendable ([EventBridgeTag]) -> [EventBridgeTag]
  ) async throws(AWSError) {
    _ = try tags(arn)
    switch TaggedEventResource(arn) {
    case .bus(let key):
      try await change(key) { (bus: inout EventBus) throws(AWSError) in bus.tags = body(bus.tags) }
    case .rule(let id):
      try await change(id) { (rule: inout EventRule) throws(AWSError) in rule.tags = body(rule.tags) }
    case nil: break
    }
  }
}
