// `/_martlet/event-source-mappings`: what the pollers of queues do, and what they have done since they began.
import MartletCore
import MartletLambda
import MartletWire

enum MappingsPage {
  static let path = "/_martlet/event-source-mappings"

  static func reply(_ lambda: LambdaService) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("pollers")
      w.array(lambda.pollers.all) { w, entry in write(entry.key.name, entry.poller, &w) }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }

  private static func write(_ uuid: String, _ poller: Poller, _ json: inout JSONWriter) {
    let (counts, concurrency) = (poller.counts, poller.concurrency)
    json.object { w in
      w.name("UUID")
      w.value(uuid)
      if let problem = poller.problem {
        w.name("problem")
        w.value(problem)
      }
      for (name, value) in [
        ("running", concurrency.running), ("allowed", concurrency.allowed), ("invocations", counts.invocations),
        ("throttles", counts.throttles), ("PolledEventCount", counts.polled),
        ("FilteredOutEventCount", counts.filteredOut), ("InvokedEventCount", counts.invoked),
        ("FailedInvokeEventCount", counts.failedInvoke), ("DeletedEventCount", counts.deleted),
      ] {
        w.name(name)
        w.value(value)
      }
    }
  }
}
