// Which bucket and key a request means: by its path, or by the name of the host that it was sent to.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
import MartletWire

struct S3Address: Equatable {
  /// Percent-encoded, as sent; nil = all buckets.
  let bucket: Substring?
  /// Percent-encoded, as sent.
  let key: Substring?

  init(_ request: HTTPRequest) {
    var path = request.path
    if path.hasPrefix("/") { path = path.dropFirst() }
    if let bucket = S3Address.bucket(ofHost: request.header("Host") ?? "") {
      self.bucket = bucket[...]
      key = path.isEmpty ? nil : path
      return
    }
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    bucket = parts.first.flatMap { $0.isEmpty ? nil : $0 }
    key = parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil
  }

  /// False if what is encoded is no UTF-8.
  var isText: Bool {
    [bucket, key].allSatisfy { part in
      guard let part, part.utf8.contains(UInt8(ascii: "%")) else { return true }
      return Percent.isText(part)
    }
  }

  /// `bucket.s3.amazonaws.com`, `bucket.s3.eu-west-1.amazonaws.com`, `bucket.s3.localhost`, `bucket.localhost`.
  static func bucket(ofHost host: String) -> String? {
    let name = host.split(separator: ":", omittingEmptySubsequences: false)[0].lowercased()
    let labels = name.split(separator: ".")
    if let mark = labels.lastIndex(where: { $0 == "s3" || $0.hasPrefix("s3-") }), mark < labels.count - 1 {
      return mark == 0 ? nil : labels[..<mark].joined(separator: ".")
    }
    guard labels.count > 1, labels.last == "localhost" else { return nil }
    return labels.dropLast().joined(separator: ".")
  }
}
