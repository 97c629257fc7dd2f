// What a query of metrics came to: values and when they were.
import MartletCore
import MartletWire

struct MetricResult: Sendable {
  struct Message: Sendable {
    let code: String
    let value: String

    func write(to w: inout MemberWriter) {
      w.member("Code", code)
      w.member("Value", value)
    }
  }

  let id: String
  var label: String
  /// Moments are seconds since 1970.
  var values: [(start: Int64, value: Double)]
  var status = "Complete"
  var messages: [Message] = []

  init(id: String, label: String, values: [(start: Int64, value: Double)] = []) {
    self.id = id
    self.label = label
    self.values = values
  }

  func reversed() -> MetricResult {
    var copy = self
    copy.values.reverse()
    return copy
  }

  func write(to w: inout MemberWriter) {
    w.member("Id", id)
    w.member("Label", label)
    w.moments("Timestamps", values.map { Timestamp(milliseconds: $0.start * 1000) })
    w.member("Values", values.map(\.value))
    w.member("StatusCode", status)
    if !messages.isEmpty { w.list("Messages", messages) { $1.write(to: &$0) } }
  }
}
