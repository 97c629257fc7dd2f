// `/_martlet/audit`: how many calls were written down since the start, how many were lost, how many files delivered.
import MartletCloud
import MartletWire

enum AuditPage {
  static let path = "/_martlet/audit"

  static func reply(_ audit: CloudTrailService) -> HTTPReply {
    let counts = audit.totals
    var json = JSONWriter()
    json.object { w in
      for (name, value) in [
        ("events", counts.events), ("dropped", counts.dropped), ("files", counts.files),
        ("storedBytes", audit.storedBytes),
      ] {
        w.name(name)
        w.value(value)
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }
}
