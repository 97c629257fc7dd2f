// PutRule: makes a rule, or changes one. What is not given then is gone, except for its targets and tags.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum PutRule: Operation {
    static let route = Route.target("EventBridge.PutRule")

    struct Input: Readable {
      let name: String
      let schedule: String?
      let pattern: String?
      let state: EventRule.State
      let description: String?
      let role: String?
      let tags: [EventBridgeTag]
      let bus: BusReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name", as: EventBridgeName.rule)
        schedule = m.string("ScheduleExpression", .length(nil, 256))
        pattern = m.string("EventPattern", as: EventBridgeName.eventPattern)
        state =
          m.string("State", .oneOf(EventRule.State.allCases.map(\.rawValue)))
          .flatMap { EventRule.State(rawValue: $0) } ?? .enabled
        description = m.string("Description", as: EventBridgeName.description)
        role = m.string("RoleArn", as: EventBridgeName.arn)
        tags = m.eventBridgeTags() ?? []
        bus = m.bus()
      }
    }

    struct Output: Writable {
      let arn: String

      func write(to w: inout Writer) { w.body { $0.member("RuleArn", arn) } }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let id = RuleKey(input.bus.key(call), input.name)
      let schedule = input.schedule.flatMap { $0.isEmpty ? nil : $0 }
      let pattern = input.pattern.flatMap { $0.isEmpty ? nil : $0 }
      guard schedule != nil || pattern != nil else { throw .eventsNoTrigger() }
      if schedule != nil, id.bus.name != EventBridgeName.defaultBus { throw .eventsScheduleOnCustomBus() }
      if let schedule, ScheduleExpression(ofRule: schedule) == nil { throw .eventsInvalidSchedule() }
      try EventBridge.check(pattern: pattern)
      let now = events.now
      try await events.rules.change(id.catalogue) { record throws(AWSError) in
        guard events.newest(id.bus) != nil else { throw .eventsNoBus(id.bus.name) }
        var rule = record ?? EventRule(id, tags: EventBridgeTag.merge([], input.tags), scheduled: now)
        if rule.managedBy != nil { throw .eventsManagedRule(id.name) }
        if rule.schedule != schedule || rule.state != input.state { rule.scheduled = now }
        rule.schedule = schedule
        rule.pattern = pattern
        rule.state = input.state
        rule.description = input.description
        rule.role = input.role
        record = rule
      }
      return Output(arn: id.arn)
    }
  }

  /// Refuses what is no pattern.
  static func check(pattern: String?) throws(AWSError) {
    guard let pattern else { return }
    do throws(EventPatternFlaw) { _ = try EventPattern(pattern, .rules) } catch { throw .eventsInvalidPattern(error) }
  }
}
