// From what a function said to the HTTP answer of its URL: the inference of payload format 2.0, and the prelude of
// streamed responses. Pure. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
import MartletCore
import MartletWire
import NIOCore

enum FunctionURLAnswer {
  static let integrationType = "application/vnd.awslambda.http-integration-response"

  /// What stands between the prelude of a streamed response and its body.
  static let separator = [UInt8](repeating: 0, count: 8)

  /// A prelude that is longer than this is none.
  static let longestPrelude = 1 << 20

  // MARK: - A payload that is whole

  /// nil if the function's answer is malformed: its caller gets 502.
  static func infer(_ payload: ByteBuffer) -> HTTPReply? {
    guard let json = try? JSONValue(parsing: payload) else { return nil }
    switch json {
    case .object where json["statusCode"] != nil: return described(by: json)
    case .string(let text): return reply(200, [], ByteBuffer(string: text))
    default: return reply(200, [], payload)
    }
  }

  private static func described(by json: JSONValue) -> HTTPReply? {
    guard let status = status(json), let headers = headers(json) else { return nil }
    var body = ByteBuffer()
    switch json["body"] {
    case nil, .null?: break
    case .string(let text)?:
      if json["isBase64Encoded"]?.bool == true {
        guard let decoded = Base64.decode(text) else { return nil }
        body = decoded
      } else {
        body = ByteBuffer(string: text)
      }
    case let other?: body = ByteBuffer(string: other.text)
    }
    return reply(status, headers, body)
  }

  // MARK: - A response that was streamed

  /// Where the prelude ends and where the body begins; nil if there is no end of it in the bytes.
  static func split(_ bytes: ByteBuffer) -> (prelude: ByteBuffer, body: ByteBuffer)? {
    let found = bytes.withUnsafeReadableBytes { raw -> Int? in
      var zeros = 0
      for (offset, byte) in raw.enumerated() {
        zeros = byte == 0 ? zeros + 1 : 0
        if zeros == separator.count { return offset + 1 - zeros }
      }
      return nil
    }
    guard let found, let prelude = bytes.getSlice(at: bytes.readerIndex, length: found) else { return nil }
    var body = bytes
    body.moveReaderIndex(forwardBy: found + separator.count)
    return (prelude, body)
  }

  /// The answer without its body; nil if the prelude is malformed.
  static func head(prelude: ByteBuffer) -> HTTPReply? {
    guard let json = try? JSONValue(parsing: prelude), json.members != nil else { return nil }
    guard let status = json["statusCode"] == nil ? 200 : status(json), let headers = headers(json) else { return nil }
    return reply(status, headers, ByteBuffer())
  }

  /// A streamed response that its caller wanted whole.
  static func collected(_ payload: ByteBuffer, contentType: String) -> HTTPReply? {
    guard contentType == integrationType else {
      return infer(payload) ?? reply(200, [("Content-Type", contentType)], payload)
    }
    guard let (prelude, body) = split(payload), var reply = head(prelude: prelude) else { return nil }
    reply.body = body
    return reply
  }

  // MARK: - Members

  /// 200 to 599, as a number or as its digits.
  private static func status(_ json: JSONValue) -> Int? {
    let number = json["statusCode"]?.integer ?? json["statusCode"]?.string.flatMap { Int($0) }
    return number.flatMap { (200...599).contains($0) ? $0 : nil }
  }

  private static func headers(_ json: JSONValue) -> [(name: String, value: String)]? {
    var out: [(name: String, value: String)] = []
    for member in json["headers"]?.members ?? [] {
      guard let value = text(member.value) else { continue }
      out.append((member.name, value))
    }
    for member in json["multiValueHeaders"]?.members ?? [] {
      out.removeAll { $0.name.lowercased() == member.name.lowercased() }
      out += (member.value.array ?? []).compactMap(text).map { (member.name, $0) }
    }
    out += (json["cookies"]?.array ?? []).compactMap(text).map { ("Set-Cookie", $0) }
    guard out.allSatisfy({ isName($0.name) }) else { return nil }
    return out.compactMap { header in
      let name = header.name.lowercased()
      if ownHeaders.contains(name) { return nil }
      return remapped.contains(name) ? ("x-amzn-Remapped-\(header.name)", header.value) : header
    }
  }

  private static func text(_ value: JSONValue) -> String? {
    switch value {
    case .null, .array, .object: nil
    case .string(let text): text
    default: value.text
    }
  }

  /// What concerns the connection is the platform's own business.
  private static let ownHeaders: Set<String> = [
    "connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade", "proxy-connection",
    "x-amzn-requestid", "x-amzn-trace-id",
  ]
  /// Sent on under another name.
  private static let remapped: Set<String> = [
    "authorization", "date", "host", "server", "user-agent", "www-authenticate", "proxy-authenticate",
  ]

  /// A token of RFC 9110: nothing that could end a header's name.
  private static func isName(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, 33, 35...39, 42, 43, 45, 46, 94...96, 124, 126: true
        default: false
        }
      }
  }

  private static func reply(
    _ status: Int, _ headers: [(name: String, value: String)], _ body: ByteBuffer
  ) -> HTTPReply {
    var reply = HTTPReply(status: status, headers: headers, body: body)
    if reply.header("Content-Type") == nil { reply.headers.insert(("Content-Type", "application/json"), at: 0) }
    return reply
  }
}
