// Writes the head of a reply.
import MartletCore
import NIOCore
import NIOHTTP1

enum HTTPReplyHead {
  /// How the peer knows where the body ends.
  enum Framing { case length, chunked, untilClose }

  static func write(_ reply: HTTPReply, framing: Framing = .length, closes: Bool, into buffer: inout ByteBuffer) {
    // What every reply has is shorter than this.
    var size = 192
    for header in reply.headers { size += header.name.utf8.count + header.value.utf8.count + 4 }
    let isOK = reply.status == 200
    let reason = isOK ? "" : HTTPResponseStatus(statusCode: reply.status).reasonPhrase
    buffer.write(capacity: size + reason.utf8.count) { text in
      if isOK {
        text.write("HTTP/1.1 200 OK\r\n")
      } else {
        text.write("HTTP/1.1 ")
        text.write(reply.status)
        text.write(" ")
        text.write(text: reason)
        text.write("\r\n")
      }
      for header in reply.headers {
        text.write(text: header.name)
        text.write(": ")
        text.write(text: sanitized(header.value))
        text.write("\r\n")
      }
      if framing == .chunked {
        text.write("Transfer-Encoding: chunked\r\n")
      } else if reply.status != 204, framing == .length {
        text.write("Content-Length: ")
        text.write(reply.length)
        text.write("\r\n")
      }
      text.write(closes ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n")
    }
  }

  /// A header value never carries a line end: what a function or a caller chose cannot forge a second header.
  private static func sanitized(_ value: String) -> String {
    guard value.withBytes({ $0.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f } }) else { return value }
    return String(value.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
  }
}

extension ByteBuffer {
  /// Appends what `body` writes, at most `capacity` bytes.
  package mutating func write(capacity: Int, _ body: (inout TextCursor) -> Void) {
    writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { raw in
      var text = TextCursor(raw.bindMemory(to: UInt8.self))
      body(&text)
      return text.count
    }
  }
}
