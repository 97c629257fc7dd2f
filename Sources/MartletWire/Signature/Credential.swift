// Who signed a request, and for which region and service: the credential scope of Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import MartletCore

/// `AKID/20260102/us-east-1/lambda/aws4_request`, from the Authorization header or from the query.
package struct Credential: Sendable, Equatable {
  package let accessKey: String
  package let region: String
  package let service: String

  /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; nil if there is none.
  package init?(authorization: String) {
    guard authorization.hasPrefix("AWS4-"), let start = authorization.range(ofText: "Credential=") else { return nil }
    self.init(scope: authorization[start...].prefix { $0 != "," && $0 != " " })
  }

  /// Reads `AKID/date/region/service/aws4_request`. A key may itself contain slashes, a scope may not.
  package init?(scope: some StringProtocol) {
    let parts = scope.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 5, parts[parts.count - 1] == "aws4_request" else { return nil }
    accessKey = parts[0..<(parts.count - 4)].joined(separator: "/")
    region = String(parts[parts.count - 3])
    service = String(parts[parts.count - 2])
  }
}

extension String {
  /// The index after the first occurrence of `text`.
  fileprivate func range(ofText text: String) -> String.Index? {
    let needle = Array(text.utf8)
    let hay = utf8
    var index = hay.startIndex
    while index != hay.endIndex {
      if hay[index...].starts(with: needle) { return hay.index(index, offsetBy: needle.count) }
      index = hay.index(after: index)
    }
    return nil
  }
}
