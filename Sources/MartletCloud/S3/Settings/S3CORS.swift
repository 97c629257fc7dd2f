// Cross-origin requests: the rules of a bucket, which of them fits, and what the answer says then.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
import MartletCore
import MartletWire

enum S3CORS {
  private static let methods = ["GET", "PUT", "HEAD", "POST", "DELETE"]
  private static let mostRules = 100

  static func refusal(of document: XMLElement) -> AWSError? {
    guard document.children.count <= mostRules else {
      return .invalidRequest("The number of CORS rules should not exceed allowed limit of \(mostRules) rules.")
    }
    for rule in document.children {
      if let method = rule.children("AllowedMethod").first(where: { !methods.contains($0.text) }) {
        return .invalidRequest(
          "Found unsupported HTTP method in CORS config. Unsupported method is \(method.text)")
      }
      if let origin = rule.children("AllowedOrigin").first(where: { $0.text.count(where: { $0 == "*" }) > 1 }) {
        return .invalidRequest("AllowedOrigin \"\(origin.text)\" can not have more than one wildcard.")
      }
      if let header = rule.children("AllowedHeader").first(where: { $0.text.count(where: { $0 == "*" }) > 1 }) {
        return .invalidRequest("AllowedHeader \"\(header.text)\" can not have more than one wildcard.")
      }
      if rule.children("ExposeHeader").contains(where: { $0.text.contains("*") }) {
        return .invalidRequest(
          "ExposeHeader \"*\" contains wildcard. We currently do not support wildcard for ExposeHeader.")
      }
    }
    return nil
  }

  /// What a browser asks.
  struct Question: Equatable {
    let origin: String
    let method: String
    /// That it wants to send; only before the request itself.
    var headers: [String] = []
  }

  /// The headers of an answer to a request from another origin; nil if no rule allows it.
  static func headers(
    _ document: XMLElement, _ question: Question, isPreflight: Bool
  ) -> [(name: String, value: String)]? {
    for rule in document.children where allows(rule, question) {
      let origins = rule.children("AllowedOrigin").map(\.text)
      let isAny = origins.first { Wildcard.matches($0, question.origin) } == "*"
      var headers = [("Access-Control-Allow-Origin", isAny ? "*" : question.origin)]
      headers.append(
        ("Access-Control-Allow-Methods", rule.children("AllowedMethod").map(\.text).joined(separator: ", ")))
      if isPreflight, !question.headers.isEmpty {
        headers.append(("Access-Control-Allow-Headers", question.headers.joined(separator: ", ").lowercased()))
      }
      let exposed = rule.children("ExposeHeader").map(\.text)
      if !exposed.isEmpty { headers.append(("Access-Control-Expose-Headers", exposed.joined(separator: ", "))) }
      if let age = rule["MaxAgeSeconds"] { headers.append(("Access-Control-Max-Age", age)) }
      if !isAny { headers.append(("Access-Control-Allow-Credentials", "true")) }
      headers.append(("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"))
      return headers
    }
    return nil
  }

  private static func allows(_ rule: XMLElement, _ question: Question) -> Bool {
    guard rule.children("AllowedOrigin").contains(where: { Wildcard.matches($0.text, question.origin) }),
      rule.children("AllowedMethod").contains(where: { $0.text == question.method })
    else { return false }
    let allowed = rule.children("AllowedHeader").map { $0.text.lowercased() }
    return question.headers.allSatisfy { header in
      allowed.contains { Wildcard.matches($0, header.lowercased()) }
    }
  }
}
