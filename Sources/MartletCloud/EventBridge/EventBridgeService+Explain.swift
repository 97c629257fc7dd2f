// Why a rule did not pass an event on: docs/explain.md.
import MartletCore
import MartletStore
import MartletWire

extension EventBridgeService {
  /// - Parameters:
  ///   - text: `name`, `bus/name` or an ARN.
  ///   - event: one that should have matched.
  ///   - next: when the rule's schedule is due.
  /// - Returns: nil if there is no such rule.
  package func explain(
    rule text: String, event: JSONValue?, in place: Place, next: (ResourceKey) -> Timestamp?
  ) -> Explanation? {
    let path = (text.firstRange(of: ":rule/").map { text[$0.upperBound...] } ?? text[...])
      .split(separator: "/").map(String.init)
    guard let name = path.last else { return nil }
    let bus = path.count > 1 ? path.dropLast().joined(separator: "/") : EventBridgeName.defaultBus
    let id = RuleKey(ResourceKey(place: place, name: bus), name)
    guard let rule = rules.find(id.catalogue) else { return nil }
    var found = Explanation("the rule \(name) of the bus \(bus)")
    if rule.isEnabled {
      found.holds("It is \(rule.state.rawValue).")
    } else {
      found.stops("It is \(rule.state.rawValue).")
    }
    if let schedule = rule.schedule {
      found.says("Its schedule is \(schedule).")
      if let due = next(id.catalogue) {
        found.says("It is due next at \(due.iso8601Seconds); the server's clock says \(world.now().iso8601Seconds).")
      } else if rule.isEnabled {
        found.stops("Its schedule has no time left at which it could happen.")
      }
    }
    if let pattern = rule.pattern { explain(pattern, event, &found) }
    if let tally = counts.rules.first(where: { $0.arn == rule.arn })?.tally { explain(tally, &found) }
    explainTargets(rule, &found)
    return found
  }

  private func explain(_ tally: RuleTally, _ found: inout Explanation) {
    found.says(
      "Since the server was started, it matched \(tally.matched) events; \(tally.delivered) deliveries were made, "
        + "\(tally.failures) attempts failed, \(tally.deadLetters) deliveries are dead letters, \(tally.dropped) are lost."
    )
    if let failure = tally.lastFailure { found.warns("The last failure: \(failure)") }
  }

  private func explain(_ text: String, _ event: JSONValue?, _ found: inout Explanation) {
    guard let event, let pattern = try? EventPattern(text, .rules), let json = try? JSONValue(parsing: text) else {
      return found.says("It wants events that match \(text)")
    }
    if pattern.matches(event) { return found.holds("The event matches \(text)") }
    // Each field by itself, so that those that are not met can be named.
    for miss in EventBridgeService.misses(json, event, path: [], whole: event) { found.stops(miss) }
  }

  /// The parts of a pattern that an event does not match.
  static func misses(_ pattern: JSONValue, _ event: JSONValue?, path: [String], whole: JSONValue) -> [String] {
    (pattern.members ?? []).flatMap { field -> [String] in
      let here = path + [field.name]
      var single = JSONValue.object([field])
      for name in path.reversed() { single = .object([.init(name, single)]) }
      guard (try? EventPattern(single.text, .rules))?.matches(whole) == false else { return [] }
      let value = event?[field.name]
      if field.value.members != nil, value?.members != nil {
        let inner = misses(field.value, value, path: here, whole: whole)
        if !inner.isEmpty { return inner }
      }
      let shown = value.map { String($0.text.prefix(200)) } ?? "nothing"
      return ["The event has \(shown) at \(here.joined(separator: ".")), and the pattern wants \(field.value.text)"]
    }
  }

  private func explainTargets(_ rule: EventRule, _ found: inout Explanation) {
    if rule.targets.isEmpty { found.stops("It has no targets.") }
    for target in rule.targets {
      let letters = target.deadLetters.map { "dead letters go to \($0)" } ?? "without a dead-letter queue"
      found.says("Its target \(target.id) is \(target.arn), \(letters).")
      let waiting = outbox.count(of: target.arn)
      if waiting > 0 { found.warns("\(waiting) deliveries to \(target.arn) wait for an attempt or are under way.") }
      if ARN(target.arn)?.service == "lambda" {
        found.calls.append(.init(function: target.arn, principal: "events.amazonaws.com", source: rule.arn))
      }
    }
  }
}
