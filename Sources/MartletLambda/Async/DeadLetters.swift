// Dead-letter queues: the event itself, with what went wrong as attributes, for a queue or a topic.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
import MartletCore
import MartletWire
import NIOCore

enum DeadLetters {
  /// Characters of an error message that a dead letter bears.
  static let longestMessage = 1024

  /// Puts into words why an event was given up: the function's own, or those of the refusal.
  static func describe(_ outcome: inout EventOutcome, _ error: AWSError?) {
    switch outcome.condition {
    case .success: return
    case .zeroReservedConcurrency:
      outcome.errorCode = 429
      outcome.errorMessage = "Rate Exceeded."
    case .retriesExhausted, .eventAgeExceeded:
      if let response = outcome.response {
        outcome.errorCode = 200
        outcome.errorMessage = message(of: response.payload)
      } else if let error {
        outcome.errorCode = error.status
        outcome.errorMessage = error.message
      } else {
        outcome.errorCode = 429
        outcome.errorMessage = "The event is older than its function's MaximumEventAgeInSeconds."
      }
    }
    outcome.errorMessage = String(outcome.errorMessage.prefix(longestMessage))
  }

  /// The attributes of a dead letter. Attributes cannot be empty.
  static func attributes(_ event: StoredEvent, _ outcome: EventOutcome) -> [(
    name: String, type: String, value: String
  )] {
    var attributes = [
      (name: "RequestID", type: "String", value: event.requestID.description),
      (name: "ErrorCode", type: "Number", value: String(outcome.errorCode)),
    ]
    if !outcome.errorMessage.isEmpty {
      attributes.append((name: "ErrorMessage", type: "String", value: outcome.errorMessage))
    }
    return attributes
  }

  /// `errorMessage` of what a runtime answers for an error.
  static func message(of payload: ByteBuffer) -> String {
    guard let json = try? JSONValue(parsing: payload) else { return String(buffer: payload) }
    return json["errorMessage"]?.string ?? String(buffer: payload)
  }
}
