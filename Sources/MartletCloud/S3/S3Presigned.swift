// Presigned addresses: how long they hold. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html
import MartletCore
import MartletWire
import NIOHTTP1

enum S3Presigned {
  /// Seconds: a week.
  private static let longest = 604_800
  /// How far a client's clock may be ahead.
  private static let ahead = Duration.seconds(15 * 60)

  /// Refuses what is not valid any more, or not yet. The signature itself is not verified.
  /// - Parameter now: by the host's clock, as clients sign by theirs.
  static func check(_ request: HTTPRequest, at now: Timestamp) throws(AWSError) {
    guard let query = request.query, query.contains("Signature=") else { return }
    let parameters = request.queryParameters
    func value(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
    if value("X-Amz-Signature") != nil {
      try checkVersion4(value("X-Amz-Date"), value("X-Amz-Expires"), value("X-Amz-Credential"), at: now)
    } else if value("Signature") != nil, value("AWSAccessKeyId") != nil {
      guard let text = value("Expires"), let expires = Int64(text) else {
        throw .queryAuthorization(
          "Invalid date (should be seconds since epoch): \(value("Expires") ?? "null")", code: "AccessDenied",
          status: 403)
      }
      let end = Timestamp(milliseconds: min(expires, 9_000_000_000) * 1000)
      guard now <= end else { throw .requestExpired(lifetime: nil, end: end, now: now) }
    }
  }

  private static func checkVersion4(
    _ date: String?, _ lifetime: String?, _ credential: String?, at now: Timestamp
  ) throws(AWSError) {
    guard let date, let lifetime, credential != nil else {
      throw .queryAuthorization(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
          + "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
    }
    guard let begun = moment(date) else {
      throw .queryAuthorization("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    }
    guard let seconds = Int(lifetime) else { throw .queryAuthorization("X-Amz-Expires should be a number") }
    guard seconds >= 0 else { throw .queryAuthorization("X-Amz-Expires must be non-negative") }
    guard seconds <= longest else {
      throw .queryAuthorization(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given "
          + "X-Amz-Expires must be less than \(longest) seconds")
    }
    guard begun <= now + ahead else {
      throw .queryAuthorization("Request is not valid yet", code: "AccessDenied", status: 403)
    }
    let end = begun + .seconds(seconds)
    guard now <= end else { throw .requestExpired(lifetime: lifetime, end: end, now: now) }
  }

  /// The request with the headers that are parameters of a presigned address: some SDKs sign them there.
  static func unfolded(_ request: HTTPRequest) -> HTTPRequest {
    guard let query = request.query, query.contains("ignature="), query.contains("x-amz-") else { return request }
    var unfolded = request
    for parameter in request.queryParameters where parameter.name.hasPrefix("x-amz-") {
      guard !request.headers.contains(name: parameter.name) else { continue }
      unfolded.headers.add(name: parameter.name, value: parameter.value)
    }
    return unfolded
  }

  /// `20260102T030405Z`
  static func moment(_ text: String) -> Timestamp? {
    let digits = Array(text)
    guard digits.count == 16, digits[8] == "T", digits[15] == "Z" else { return nil }
    func part(_ range: Range<Int>) -> String { String(digits[range]) }
    return Timestamp(
      s3Date: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
  }
}

extension AWSError {
  static func requestExpired(lifetime: String?, end: Timestamp, now: Timestamp) -> AWSError {
    var error = AWSError("AccessDenied", status: 403, "Request has expired")
    error.members =
      (lifetime.map { [("X-Amz-Expires", $0)] } ?? []) + [
        ("Expires", end.iso8601Seconds), ("ServerTime", now.iso8601Seconds),
      ]
    return error
  }

  static func queryAuthorization(
    _ message: String, code: String = "AuthorizationQueryParametersError", status: Int = 400
  ) -> AWSError {
    AWSError(code, status: status, message)
  }
}
