// Signs requests with Signature Version 4: what leaves for a remote endpoint is signed as any AWS client signs.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import MartletCore
import NIOHTTP1

/// Keys of an identity at an AWS service.
package struct AccessKeys: Sendable, Equatable {
  package let id: String
  package let secret: String
  /// Of temporary keys.
  package let sessionToken: String?

  package init(id: String, secret: String, sessionToken: String? = nil) {
    self.id = id
    self.secret = secret
    self.sessionToken = sessionToken
  }
}

package struct SignatureV4: Sendable {
  package let keys: AccessKeys
  package let region: String
  package let service: String

  package init(keys: AccessKeys, region: String, service: String) {
    self.keys = keys
    self.region = region
    self.service = service
  }

  /// S3 signs the path as it is sent; every other service encodes it once more, and removes `.` and `..`.
  private var isS3: Bool { service == "s3" }

  /// The SHA-256 of no bytes, in hexadecimal.
  package static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  /// In the place of a payload's digest, where the payload is not signed.
  package static let unsignedPayload = "UNSIGNED-PAYLOAD"

  /// Adds `X-Amz-Date`, `X-Amz-Security-Token`, for S3 `X-Amz-Content-Sha256`, and `Authorization`.
  /// - Parameters:
  ///   - uri: path and query as sent, percent-encoded.
  ///   - headers: all that is to be signed, with `Host`.
  ///   - payload: the body's SHA-256 in hexadecimal.
  package func sign(
    _ method: String, _ uri: String, headers: inout HTTPHeaders, payload: String = emptyPayload, at time: Timestamp
  ) {
    let date = SignatureV4.date(time)
    headers.replaceOrAdd(name: "X-Amz-Date", value: date)
    if let token = keys.sessionToken { headers.replaceOrAdd(name: "X-Amz-Security-Token", value: token) }
    if isS3 { headers.replaceOrAdd(name: "X-Amz-Content-Sha256", value: payload) }
    let names = signedNames(headers)
    let canonical = canonicalRequest(method, uri, headers, payload)
    let authorization =
      "AWS4-HMAC-SHA256 Credential=\(keys.id)/\(scope(date)), SignedHeaders=\(names.joined(separator: ";")), "
      + "Signature=\(signature(stringToSign(canonical, date), date))"
    headers.replaceOrAdd(name: "Authorization", value: authorization)
  }

  // MARK: - The four steps

  func canonicalRequest(_ method: String, _ uri: String, _ headers: HTTPHeaders, _ payload: String) -> String {
    let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let names = signedNames(headers)
    var text = "\(method)\n\(canonicalPath(String(parts[0])))\n\(canonicalQuery(parts.count > 1 ? parts[1] : ""))\n"
    for name in names {
      text += "\(name):\(headers[name].map(SignatureV4.trimmed).joined(separator: ","))\n"
    }
    return text + "\n\(names.joined(separator: ";"))\n\(payload)"
  }

  func stringToSign(_ canonicalRequest: String, _ date: String) -> String {
    "AWS4-HMAC-SHA256\n\(date)\n\(scope(date))\n\(Digest.hex(Digest.sha256(canonicalRequest)))"
  }

  func signature(_ stringToSign: String, _ date: String) -> String {
    var key = Array("AWS4\(keys.secret)".utf8)
    for part in [String(date.prefix(8)), region, service, "aws4_request"] { key = Digest.hmacBytes(key: key, part) }
    return Digest.hmac(key: key, stringToSign)
  }

  private func scope(_ date: String) -> String { "\(date.prefix(8))/\(region)/\(service)/aws4_request" }

  /// Headers that proxies change on the way are not signed.
  private func signedNames(_ headers: HTTPHeaders) -> [String] {
    let unsigned: Set<String> = ["authorization", "connection", "expect", "user-agent", "x-amzn-trace-id"]
    return Set(headers.map { $0.name.lowercased() }).subtracting(unsigned).sorted()
  }

  private func canonicalPath(_ path: String) -> String {
    if isS3 { return path.isEmpty ? "/" : path }
    var segments: [Substring] = []
    for segment in path.split(separator: "/") where segment != "." {
      if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
    }
    let isDirectory = path.hasSuffix("/") && !segments.isEmpty
    return "/" + segments.map { Percent.encode(String($0)) }.joined(separator: "/") + (isDirectory ? "/" : "")
  }

  private func canonicalQuery(_ query: Substring) -> String {
    let pairs = query.split(separator: "&").map { pair -> (name: String, value: String) in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (Percent.encode(Percent.decode(parts[0])), parts.count > 1 ? Percent.encode(Percent.decode(parts[1])) : "")
    }
    return pairs.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
      .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }

  /// Without spaces at its ends, and with single ones inside.
  private static func trimmed(_ value: String) -> String {
    value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// `20150830T123600Z`
  package static func date(_ time: Timestamp) -> String { time.compact }
}
