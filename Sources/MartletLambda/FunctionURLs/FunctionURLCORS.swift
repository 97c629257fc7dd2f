// What browsers are told of who may call a function URL: the platform answers their questions without the function.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors
import MartletWire
import NIOHTTP1

extension FunctionURL.CORS {
  /// What is added to the answer to a request from `origin`; nothing if that may not read it.
  func headers(origin: String?) -> [(name: String, value: String)] {
    guard let origin, allows(origin) else { return [] }
    let isForAll = allowOrigins == ["*"] && allowCredentials != true
    var headers = [("Access-Control-Allow-Origin", isForAll ? "*" : origin)]
    if allowCredentials == true { headers.append(("Access-Control-Allow-Credentials", "true")) }
    if let exposeHeaders, !exposeHeaders.isEmpty {
      headers.append(("Access-Control-Expose-Headers", exposeHeaders.joined(separator: ",")))
    }
    if !isForAll { headers.append(("Vary", "Origin")) }
    return headers
  }

  /// The answer to the question that a browser asks before a request; nil if the request is not that question.
  func preflight(_ request: HTTPRequest) -> HTTPReply? {
    guard request.method == .OPTIONS, let origin = request.header("Origin"),
      request.header("Access-Control-Request-Method") != nil
    else { return nil }
    var reply = HTTPReply(status: 200, headers: headers(origin: origin))
    guard !reply.headers.isEmpty else { return reply }
    if let allowMethods, !allowMethods.isEmpty {
      reply.headers.append(("Access-Control-Allow-Methods", allowMethods.joined(separator: ",")))
    }
    if let allowHeaders, !allowHeaders.isEmpty {
      reply.headers.append(("Access-Control-Allow-Headers", allowHeaders.joined(separator: ",")))
    }
    if let maxAge { reply.headers.append(("Access-Control-Max-Age", String(maxAge))) }
    return reply
  }

  private func allows(_ origin: String) -> Bool {
    (allowOrigins ?? []).contains { pattern in
      guard let star = pattern.firstIndex(of: "*") else { return pattern.lowercased() == origin.lowercased() }
      let (start, end) = (pattern[..<star].lowercased(), pattern[pattern.index(after: star)...].lowercased())
      let text = origin.lowercased()
      return text.utf8.count >= start.utf8.count + end.utf8.count && text.hasPrefix(start) && text.hasSuffix(end)
    }
  }
}
