// `/_martlet/logs`: how many log events came in since the start, and how many were lost because too much waited.
import MartletCloud
import MartletWire

enum LogsPage {
  static let path = "/_martlet/logs"

  static func reply(_ logs: LogsService) -> HTTPReply {
    let counts = logs.totals
    var json = JSONWriter()
    json.object { w in
      for (name, value) in [
        ("events", counts.events), ("bytes", counts.bytes), ("droppedEvents", counts.droppedEvents),
        ("removedBytes", counts.removedBytes), ("storedBytes", logs.storedBytes),
      ] {
        w.name(name)
        w.value(value)
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }
}
