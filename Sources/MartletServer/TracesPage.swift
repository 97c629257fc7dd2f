// `/_martlet/traces`: how many segments came in since the start, and how many were lost or were none.
import MartletCloud
import MartletWire

enum TracesPage {
  static let path = "/_martlet/traces"

  static func reply(_ xray: XRayService) -> HTTPReply {
    let counts = xray.totals
    var json = JSONWriter()
    json.object { w in
      for (name, value) in [
        ("segments", counts.segments), ("dropped", counts.dropped), ("refused", counts.refused),
        ("storedBytes", xray.storedBytes),
      ] {
        w.name(name)
        w.value(value)
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }
}
