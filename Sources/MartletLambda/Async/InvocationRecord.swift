// The record of an event's end, as destinations get it. Payloads are put in as they are, never decoded.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
import MartletCore
import MartletWire
import NIOCore

enum InvocationRecord {
  /// `{"version":"1.0","timestamp":…,"requestContext":{…},"requestPayload":…,"responseContext":{…},"responsePayload":…}`
  static func make(_ event: StoredEvent, _ outcome: EventOutcome) -> ByteBuffer {
    var context = JSONWriter()
    context.object { w in
      w.name("requestId")
      w.value(event.requestID.description)
      w.name("functionArn")
      w.value(qualifiedARN(event.function))
      w.name("condition")
      w.value(outcome.condition.rawValue)
      w.name("approximateInvokeCount")
      w.value(event.retry.attempts)
    }
    var record = ByteBuffer()
    record.writeString("{\"version\":\"1.0\",\"timestamp\":\"\(outcome.ended.iso8601)\",\"requestContext\":")
    record.writeImmutableBuffer(context.buffer)
    record.writeStaticString(",\"requestPayload\":")
    record.writeImmutableBuffer(event.event)
    if let response = outcome.response {
      var context = JSONWriter()
      context.object { w in
        w.name("statusCode")
        w.value(200)
        w.name("executedVersion")
        w.value(response.executedVersion)
        if let error = response.functionError {
          w.name("functionError")
          w.value(error)
        }
      }
      record.writeStaticString(",\"responseContext\":")
      record.writeImmutableBuffer(context.buffer)
      record.writeStaticString(",\"responsePayload\":")
      record.writeImmutableBuffer(json(response.payload))
    }
    record.writeStaticString("}")
    return record
  }

  /// What the caller invoked, with `:$LATEST` if it named no version.
  static func qualifiedARN(_ function: FunctionReference) -> String {
    FunctionReference(key: function.key, qualifier: function.qualifier ?? "$LATEST").arn
  }

  /// A runtime may answer with anything; what is no JSON becomes a text.
  private static func json(_ payload: ByteBuffer) -> ByteBuffer {
    if payload.readableBytes == 0 { return ByteBuffer(string: "null") }
    if JSONScanner.flaw(in: payload) == nil { return payload }
    var text = JSONWriter()
    text.value(String(buffer: payload))
    return text.buffer
  }
}
