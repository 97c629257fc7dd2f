// One HTTP request as it came in, one reply as it goes out.
import MartletCore
import NIOCore
import NIOHTTP1

/// A request, whole. The body lies in the buffer in which it arrived.
package struct HTTPRequest: Sendable {
  package let method: HTTPMethod
  /// The path as sent, percent-encoded, without the query.
  package let path: Substring
  /// What follows `?`, or nil.
  package let query: Substring?
  package var headers: HTTPHeaders
  package var body: ByteBuffer
  /// In the place of `body`, if the responder wanted it in a file (`HTTPResponder.draft`).
  package var file: OpenFile?
  /// Why that file could not be written.
  package var fault: Fault?
  /// True if the body did not arrive whole: it was longer than the responder wanted (`HTTPResponder.bodyLimit`).
  package let bodyExceedsLimit: Bool
  /// What followed a body in chunks.
  package var trailers: HTTPHeaders?
  package var version = HTTPVersion.http1_1

  package init(
    method: HTTPMethod, uri: String, headers: HTTPHeaders, body: ByteBuffer, bodyExceedsLimit: Bool = false
  ) {
    self.method = method
    if let offset = uri.withBytes({ $0.firstIndex(of: UInt8(ascii: "?")) }) {
      let mark = uri.utf8.index(uri.startIndex, offsetBy: offset)
      path = uri[..<mark]
      query = uri[uri.utf8.index(after: mark)...]
    } else {
      path = uri[...]
      query = nil
    }
    self.headers = headers
    self.body = body
    self.bodyExceedsLimit = bodyExceedsLimit
  }

  package func header(_ name: String) -> String? { headers.first(name: name) }

  /// Decoded query parameters, in order.
  package var queryParameters: [(name: String, value: String)] {
    guard let query else { return [] }
    return query.split(separator: "&").map { pair in
      guard let mark = pair.firstIndex(of: "=") else { return (Percent.decode(pair, plus: true), "") }
      return (Percent.decode(pair[..<mark], plus: true), Percent.decode(pair[pair.index(after: mark)...], plus: true))
    }
  }
}

/// A reply, whole.
package struct HTTPReply: Sendable {
  /// A body that lies in a file.
  package struct FileBody: Sendable {
    package let file: OpenFile
    package let range: Range<Int>

    package init(file: OpenFile, range: Range<Int>) {
      self.file = file
      self.range = range
    }
  }

  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: ByteBuffer
  /// In the place of `body`.
  package var file: FileBody?
  /// In the place of `body` and `file`: it comes as it goes.
  package var stream: (any HTTPBodySource)?
  /// Close the connection after this reply.
  package var closes = false

  package init(status: Int, headers: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer()) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Bytes of the body.
  var length: Int { file?.range.count ?? body.readableBytes }

  package func header(_ name: String) -> String? {
    headers.first { isSameName($0.name, name) }?.value
  }
}

/// Percent-encoding (RFC 3986).
package enum Percent {
  /// Malformed sequences are kept as they stand; `plus` also turns `+` into a space, as in a query.
  package static func decode(_ text: some StringProtocol, plus: Bool = false) -> String {
    guard text.withBytes({ $0.contains { $0 == UInt8(ascii: "%") || (plus && $0 == UInt8(ascii: "+")) } }) else {
      return String(text)
    }
    return String(decoding: decoded(text, plus: plus), as: UTF8.self)
  }

  /// True if what is encoded is UTF-8.
  package static func isText(_ text: some StringProtocol) -> Bool {
    String(validating: decoded(text, plus: false), as: UTF8.self) != nil
  }

  private static func decoded(_ text: some StringProtocol, plus: Bool) -> [UInt8] {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var i = 0
    while i < bytes.count {
      if bytes[i] == UInt8(ascii: "%"), i + 2 < bytes.count, let high = hex(bytes[i + 1]), let low = hex(bytes[i + 2]) {
        out.append(high << 4 | low)
        i += 3
      } else {
        out.append(plus && bytes[i] == UInt8(ascii: "+") ? 0x20 : bytes[i])
        i += 1
      }
    }
    return out
  }

  /// Everything but unreserved characters is encoded.
  package static func encode(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        out += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return out
  }

  /// A path whose slashes stay.
  package static func encodePath(_ text: String) -> String {
    text.split(separator: "/", omittingEmptySubsequences: false).map { encode(String($0)) }.joined(separator: "/")
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }
}
