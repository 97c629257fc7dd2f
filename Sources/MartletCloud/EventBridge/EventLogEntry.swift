// What a rule writes into a log group: the event as it is, or what its target's input says of time and text.
import MartletCore
import MartletWire

struct EventLogEntry: Sendable, Equatable {
  /// Milliseconds since 1970.
  let time: Int64
  let message: String

  /// nil if `Input` or `InputTransformer` made something else than `{"timestamp": …, "message": …}`.
  init?(_ delivery: EventDelivery) {
    guard let input = delivery.input, delivery.isInputMade else {
      time = delivery.time.milliseconds
      message = delivery.payload
      return
    }
    guard let json = try? JSONValue(parsing: input), json.members?.count == 2, let text = json["message"]?.string,
      !text.isEmpty, let time = json["timestamp"].flatMap({ EventLogEntry.milliseconds($0) })
    else { return nil }
    self.time = time
    message = text
  }

  /// Of a number of milliseconds, of its digits in a text, or of an event's `2026-01-02T03:04:05Z`.
  static func milliseconds(_ value: JSONValue) -> Int64? {
    if let number = value.integer { return number < 0 ? nil : Int64(number) }
    guard let text = value.string else { return nil }
    if let number = Int64(text) { return number < 0 ? nil : number }
    guard text.hasSuffix("Z"), let time = CivilTime(text.prefix(19)), time.seconds >= 0 else { return nil }
    let fraction = text.dropFirst(19).dropLast()
    if fraction.isEmpty { return time.seconds * 1000 }
    guard fraction.first == ".", (2...10).contains(fraction.count),
      fraction.dropFirst().utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return time.seconds * 1000 + (Int64((fraction.dropFirst() + "00").prefix(3)) ?? 0)
  }
}
