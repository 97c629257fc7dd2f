// The event that a function gets from its URL: payload format 2.0.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads and reference/invoke.md 2.6
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

/// Everything that the event is made of; building it is pure.
struct FunctionURLEvent {
  let request: HTTPRequest
  let id: String
  /// Percent-encoded, as sent.
  let path: Substring
  let domain: String
  /// The caller's address.
  let source: String
  let port: String
  /// Who signed; nil if nobody need sign.
  let caller: Identity?
  let accessKey: String?
  let requestID: RequestID
  let traceHeader: String
  let now: Timestamp

  var json: ByteBuffer {
    let path = Percent.decode(path)
    let query = request.query.map(String.init) ?? ""
    let cookies = FunctionURLEvent.cookies(request.headers)
    let parameters = FunctionURLEvent.joined(query.isEmpty ? [] : request.queryParameters)
    let headers = self.headers
    var w = JSONWriter()
    w.object { w in
      w.text("version", "2.0")
      w.text("routeKey", "$default")
      w.text("rawPath", path)
      w.text("rawQueryString", query)
      if !cookies.isEmpty {
        w.name("cookies")
        w.array(cookies) { $0.value($1) }
      }
      w.texts("headers", headers)
      if !parameters.isEmpty { w.texts("queryStringParameters", parameters) }
      w.name("requestContext")
      w.object { context(path, &$0) }
      let isText = FunctionURLEvent.isText(request.header("Content-Type"))
      let text = isText ? request.body.getUTF8(at: request.body.readerIndex, length: request.body.readableBytes) : nil
      if request.body.readableBytes > 0 { w.text("body", text ?? Base64.encode(request.body)) }
      w.name("isBase64Encoded")
      w.value(request.body.readableBytes > 0 && text == nil)
    }
    return w.buffer
  }

  private func context(_ path: String, _ w: inout JSONWriter) {
    w.text("accountId", caller?.account.id ?? "anonymous")
    w.text("apiId", id)
    if let caller {
      w.name("authorizer")
      w.object { w in
        w.name("iam")
        w.object { w in
          w.text("accessKey", accessKey ?? "")
          w.text("accountId", caller.account.id)
          w.text("callerId", caller.id)
          w.name("cognitoIdentity")
          w.null()
          w.name("principalOrgId")
          w.null()
          w.text("userArn", caller.arn)
          w.text("userId", caller.id)
        }
      }
    }
    w.text("domainName", domain)
    w.text("domainPrefix", id)
    w.name("http")
    w.object { w in
      w.text("method", request.method.rawValue)
      w.text("path", path)
      w.text("protocol", "HTTP/\(request.version.major).\(request.version.minor)")
      w.text("sourceIp", source)
      w.text("userAgent", request.header("User-Agent") ?? "")
    }
    w.text("requestId", requestID.description)
    w.text("routeKey", "$default")
    w.text("stage", "$default")
    w.text("time", now.commonLog)
    w.name("timeEpoch")
    w.value(Int(now.milliseconds))
  }

  /// Names in lower case, repeated headers as one. What the platform says of the connection cannot be forged.
  private var headers: [(name: String, value: String)] {
    let own = [
      ("x-amzn-trace-id", String(traceHeader.split(separator: ";").first { $0.hasPrefix("Root=") } ?? "")),
      ("x-forwarded-for", source), ("x-forwarded-port", port), ("x-forwarded-proto", "http"),
    ]
    let sent = request.headers.lazy.map { (name: $0.name.lowercased(), value: $0.value) }.filter { header in
      header.name != "cookie" && !header.name.hasPrefix("x-amzn-t") && !header.name.hasPrefix("x-forwarded-")
        && header.name != "connection" && header.name != "transfer-encoding"
    }
    return FunctionURLEvent.joined(Array(sent)) + own
  }

  // MARK: - Rules

  /// Values of the same name, joined by commas, at the place of the first.
  static func joined(_ pairs: [(name: String, value: String)]) -> [(name: String, value: String)] {
    var places: [String: Int] = [:]
    var out: [(name: String, value: String)] = []
    for pair in pairs {
      if let place = places[pair.name] {
        out[place].value += ",\(pair.value)"
      } else {
        places[pair.name] = out.count
        out.append(pair)
      }
    }
    return out
  }

  static func cookies(_ headers: HTTPHeaders) -> [String] {
    headers["Cookie"].flatMap { $0.split(separator: ";") }.map { cookie in
      String(cookie.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty }
  }

  /// Whether a body of this type is passed on as text: everything else is base64.
  static func isText(_ contentType: String?) -> Bool {
    guard let type = contentType?.prefix(while: { $0 != ";" && $0 != " " }).lowercased() else { return false }
    return type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml")
      || ["application/json", "application/javascript", "application/xml"].contains(type)
  }
}

extension ByteBuffer {
  /// nil if the bytes are not UTF-8.
  fileprivate func getUTF8(at index: Int, length: Int) -> String? {
    viewBytes(at: index, length: length).flatMap { String(validating: $0, as: UTF8.self) }
  }
}

extension JSONWriter {
  fileprivate mutating func text(_ name: String, _ value: String) {
    self.name(name)
    self.value(value)
  }

  fileprivate mutating func texts(_ name: String, _ pairs: [(name: String, value: String)]) {
    self.name(name)
    object { w in for pair in pairs { w.text(pair.name, pair.value) } }
  }
}
