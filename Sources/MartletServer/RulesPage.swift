// `/_martlet/eventbridge`: what became of the events on buses since the start, rule by rule.
import MartletCloud
import MartletWire

enum RulesPage {
  static let path = "/_martlet/eventbridge"

  static func reply(_ events: EventBridgeService) -> HTTPReply {
    let counts = events.counts
    var json = JSONWriter()
    json.object { w in
      for (name, value) in [
        ("waiting", events.waiting), ("accepted", counts.accepted), ("unmatched", counts.unmatched),
      ] {
        w.name(name)
        w.value(value)
      }
      w.name("rules")
      w.object { w in
        for (arn, tally) in counts.rules {
          w.name(arn)
          w.object { write(tally, to: &$0) }
        }
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }

  private static func write(_ tally: RuleTally, to w: inout JSONWriter) {
    for (name, value) in [
      ("matched", tally.matched), ("delivered", tally.delivered), ("failures", tally.failures),
      ("deadLetters", tally.deadLetters), ("dropped", tally.dropped),
    ] {
      w.name(name)
      w.value(value)
    }
    if let failure = tally.lastFailure {
      w.name("lastFailure")
      w.value(failure)
    }
  }
}
