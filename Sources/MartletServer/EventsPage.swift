// `/_martlet/events`: how many events of asynchronous invocation wait, and what became of the others since the start.
import MartletLambda
import MartletWire

enum EventsPage {
  static let path = "/_martlet/events"

  static func reply(_ events: EventQueue) -> HTTPReply {
    let (census, counts) = (events.census, events.counts)
    var json = JSONWriter()
    json.object { w in
      for (name, value) in [
        ("waiting", census.waiting), ("underWay", census.underWay), ("accepted", counts.accepted),
        ("attempts", counts.attempts), ("succeeded", counts.succeeded), ("retriesExhausted", counts.retriesExhausted),
        ("eventAgeExceeded", counts.eventAgeExceeded), ("zeroReservedConcurrency", counts.zeroReservedConcurrency),
        ("dropped", counts.dropped), ("delivered", counts.delivered), ("deliveryFailures", counts.deliveryFailures),
      ] {
        w.name(name)
        w.value(value)
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }
}
