// One message of `application/vnd.amazon.eventstream`: lengths, a check of them, headers, payload, a check of it all.
// https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
import NIOCore

package struct EventStreamMessage: Sendable, Equatable {
  /// Headers whose values are texts: AWS's services send no others.
  package var headers: [(name: String, value: String)]
  package var payload: ByteBuffer

  package init(headers: [(name: String, value: String)], payload: ByteBuffer) {
    self.headers = headers
    self.payload = payload
  }

  /// An event of an operation's output stream.
  package static func event(_ type: String, contentType: String, _ payload: ByteBuffer) -> EventStreamMessage {
    EventStreamMessage(
      headers: [(":event-type", type), (":content-type", contentType), (":message-type", "event")], payload: payload)
  }

  package static func == (a: EventStreamMessage, b: EventStreamMessage) -> Bool {
    a.payload == b.payload && a.headers.elementsEqual(b.headers) { $0.name == $1.name && $0.value == $1.value }
  }

  /// The message without its payload: what stands before it and what stands behind it. The payload is not copied.
  package func frame() -> (head: ByteBuffer, tail: ByteBuffer) {
    var fields = ByteBuffer()
    for header in headers {
      precondition((1...255).contains(header.name.utf8.count) && header.value.utf8.count <= 32_767, "a header fits")
      fields.writeInteger(UInt8(header.name.utf8.count))
      fields.writeString(header.name)
      fields.writeInteger(EventStreamMessage.text)
      fields.writeInteger(UInt16(header.value.utf8.count))
      fields.writeString(header.value)
    }
    var head = ByteBuffer()
    head.reserveCapacity(12 + fields.readableBytes)
    head.writeInteger(UInt32(16 + fields.readableBytes + payload.readableBytes))
    head.writeInteger(UInt32(fields.readableBytes))
    var check = CRC32()
    check.update(head)
    let lengths = check.value
    head.writeInteger(lengths)
    check.update(ByteBuffer(integer: lengths))
    check.update(fields)
    check.update(payload)
    head.writeBuffer(&fields)
    return (head, ByteBuffer(integer: check.value))
  }

  /// The message, whole.
  package var bytes: ByteBuffer {
    var (whole, tail) = frame()
    whole.writeImmutableBuffer(payload)
    whole.writeBuffer(&tail)
    return whole
  }

  /// The type of a header whose value is a text.
  private static let text: UInt8 = 7

  /// Takes a message off the front of `buffer`; nil if it is not complete, damaged, or has headers that are no texts.
  package init?(from buffer: inout ByteBuffer) {
    var rest = buffer
    guard let lengths = rest.readSlice(length: 8), let check = rest.readInteger(as: UInt32.self) else { return nil }
    var prelude = CRC32()
    prelude.update(lengths)
    guard prelude.value == check,
      let total = lengths.getInteger(at: lengths.readerIndex, as: UInt32.self).map({ Int($0) }),
      let fieldsLength = lengths.getInteger(at: lengths.readerIndex + 4, as: UInt32.self).map({ Int($0) }),
      total >= 16 + fieldsLength, var fields = rest.readSlice(length: fieldsLength),
      let payload = rest.readSlice(length: total - 16 - fieldsLength),
      let end = rest.readInteger(as: UInt32.self),
      let checked = buffer.getSlice(at: buffer.readerIndex, length: total - 4)
    else { return nil }
    var whole = CRC32()
    whole.update(checked)
    guard whole.value == end else { return nil }
    headers = []
    while fields.readableBytes > 0 {
      guard let nameLength = fields.readInteger(as: UInt8.self), let name = fields.readString(length: Int(nameLength)),
        fields.readInteger(as: UInt8.self) == EventStreamMessage.text,
        let valueLength = fields.readInteger(as: UInt16.self), let value = fields.readString(length: Int(valueLength))
      else { return nil }
      headers.append((name, value))
    }
    self.payload = payload
    buffer = rest
  }
}
