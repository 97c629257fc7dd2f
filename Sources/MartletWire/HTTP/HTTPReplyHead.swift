// Writes the head of a reply.
import NIOCore
import NIOHTTP1

enum HTTPReplyHead {
  /// How the peer knows where the body ends.
  enum Framing { case length, chunked, untilClose }

  static func write(_ reply: HTTPReply, framing: Framing = .length, closes: Bool, into buffer: inout ByteBuffer) {
    buffer.writeStaticString("HTTP/1.1 ")
    buffer.writeString(String(reply.status))
    buffer.writeStaticString(" ")
    buffer.writeString(HTTPResponseStatus(statusCode: reply.status).reasonPhrase)
    buffer.writeStaticString("\r\n")
    for header in reply.headers {
      buffer.writeString(header.name)
      buffer.writeStaticString(": ")
      buffer.writeString(sanitized(header.value))
      buffer.writeStaticString("\r\n")
    }
    if framing == .chunked {
      buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
    } else if reply.status != 204, framing == .length {
      buffer.writeStaticString("Content-Length: ")
      buffer.writeString(String(reply.length))
      buffer.writeStaticString("\r\n")
    }
    buffer.writeStaticString(closes ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n")
  }

  /// A header value never carries a line end: what a function or a caller chose cannot forge a second header.
  private static func sanitized(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) else { return value }
    return String(value.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
  }
}
