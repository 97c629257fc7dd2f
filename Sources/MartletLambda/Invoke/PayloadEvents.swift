// The answer of InvokeWithResponseStream: the payload as a stream of events, the last of which tells how it ended.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStreamResponseEvent.html
import MartletWire
import NIOCore

enum PayloadEvents {
  static let contentType = "application/vnd.amazon.eventstream"

  /// Clients refuse messages of more than 16 MiB; none of ours is larger than this.
  static let largest = 1 << 20

  static func chunk(_ payload: ByteBuffer) -> EventStreamMessage {
    .event("PayloadChunk", contentType: "application/octet-stream", payload)
  }

  static func complete(_ ending: PayloadStream.Ending) -> EventStreamMessage {
    var json = JSONWriter()
    json.object { w in
      if let failure = ending.failure {
        w.name("ErrorCode")
        w.value(failure.type)
        w.name("ErrorDetails")
        w.value(String(buffer: failure.document))
      }
      if let log = ending.log {
        w.name("LogResult")
        w.value(Base64.encode(log))
      }
    }
    return .event("InvokeComplete", contentType: "application/json", json.buffer)
  }

  /// The answer of a function that did not stream.
  static func whole(_ reply: Reply) -> ByteBuffer {
    var all = ByteBuffer()
    var ending = PayloadStream.Ending(log: reply.log)
    if let error = reply.functionError {
      ending.failure = (error, reply.payload)
    } else {
      var rest = reply.payload
      while let part = rest.readSlice(length: min(largest, rest.readableBytes)), part.readableBytes > 0 {
        all.writeImmutableBuffer(chunk(part).bytes)
      }
    }
    all.writeImmutableBuffer(complete(ending).bytes)
    return all
  }
}

/// Fetches the events of a response that is under way.
final class PayloadEventSource: HTTPBodySource {
  private let stream: PayloadStream

  init(_ stream: PayloadStream) { self.stream = stream }

  func pump(_ out: HTTPOutflow) {
    while out.wantsMore {
      switch stream.take() {
      case .bytes(var part):
        while let payload = part.readSlice(length: min(PayloadEvents.largest, part.readableBytes)),
          payload.readableBytes > 0
        {
          let (head, tail) = PayloadEvents.chunk(payload).frame()
          out.write(head, payload, tail)
        }
      case .end(let ending):
        out.write(PayloadEvents.complete(ending).bytes)
        return out.end()
      case .nothing: return stream.wait { out.wake() }
      }
    }
  }

  func cancel() { stream.cancel() }
}
