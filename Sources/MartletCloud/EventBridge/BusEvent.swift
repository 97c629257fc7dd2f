// An event on a bus: its text, which targets get, and its tree, which patterns and paths look at.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
import MartletCore
import MartletWire
import NIOCore

struct BusEvent: Sendable {
  let id: String
  /// Compact JSON. The detail's numbers and members are as they were put.
  let text: String
  let json: JSONValue
  /// When it happened; to the second.
  let time: Timestamp

  /// - Parameters:
  ///   - detail: the text of `tree`, which is an object.
  init(
    id: String, _ entry: EventBridge.PutEvents.Entry, detail: String, tree: JSONValue, place: Place, time: Timestamp
  ) {
    self.id = id
    self.time = Timestamp(milliseconds: time.milliseconds / 1000 * 1000)
    let head: [JSONValue.Member] = [
      .init("version", .string("0")), .init("id", .string(id)), .init("detail-type", .string(entry.detailType)),
      .init("source", .string(entry.source)), .init("account", .string(place.account.id)),
      .init("time", .string(time.iso8601Seconds)), .init("region", .string(place.region.name)),
      .init("resources", .array(entry.resources.map { .string($0) })),
    ]
    json = .object(head + [.init("detail", tree)])
    text = "\(String(JSONValue.object(head).text.unicodeScalars.dropLast())),\"detail\":\(BusEvent.compact(detail))}"
  }

  /// An event that was on a bus before.
  init?(text: String, time: Timestamp) {
    guard let json = try? JSONValue(parsing: text), let id = json["id"]?.string else { return nil }
    self.id = id
    self.text = text
    self.json = json
    self.time = time
  }

  /// The same event, as a replay brings it back.
  func replayed(by name: String) -> BusEvent? {
    BusEvent(
      text: "\(String(text.unicodeScalars.dropLast())),\"replay-name\":\(JSONValue.string(name).text)}", time: time)
  }

  /// JSON without the space between its tokens.
  static func compact(_ text: String) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var isQuoted = false
    var isEscaped = false
    for byte in text.utf8 {
      if isEscaped {
        isEscaped = false
      } else if isQuoted, byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if !isQuoted, byte <= 0x20 {
        continue
      }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
