// The headers that are kept with an object, those that ask for what is not built, and those that ask for a part of it.
import MartletCore
import MartletWire

enum S3Headers {
  /// Kept and shown. Encryption and storage classes are words only: all bytes lie in one place, as they are.
  private static let kept = [
    "Cache-Control", "Content-Disposition", "Content-Language", "Content-Type", "Expires",
    "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled", "x-amz-storage-class", "x-amz-website-redirect-location",
  ]

  /// Ask for something that would have to be done.
  private static let refused = [
    "x-amz-server-side-encryption-customer-", "x-amz-server-side-encryption-context",
    "x-amz-copy-source-server-side-encryption-customer-", "x-amz-write-offset-bytes",
  ]

  static let defaultType = "binary/octet-stream"

  static func kept(_ request: HTTPRequest) -> [(name: String, value: String)] {
    var list: [(name: String, value: String)] = []
    for name in kept {
      guard let value = request.header(name), !(name == "x-amz-storage-class" && value == "STANDARD") else { continue }
      list.append((name, value))
    }
    if let encoding = request.header("Content-Encoding") {
      let others = encoding.split(separator: ",").map { $0.drop { $0 == " " } }.filter { $0 != "aws-chunked" }
      if !others.isEmpty { list.append(("Content-Encoding", others.joined(separator: ","))) }
    }
    if !list.contains(where: { $0.name == "Content-Type" }) { list.append(("Content-Type", defaultType)) }
    for header in request.headers where header.name.lowercased().hasPrefix("x-amz-meta-") {
      list.append((header.name.lowercased(), header.value))
    }
    return list
  }

  static func check(key: String) throws(AWSError) {
    guard key.utf8.count <= 1024 else { throw .keyTooLong(key.utf8.count) }
  }

  /// - Throws: `NotImplemented`, with the header's name.
  static func check(_ request: HTTPRequest) throws(AWSError) {
    try checkMetadata(request)
    for header in request.headers {
      let name = header.name.lowercased()
      if refused.contains(where: { name.hasPrefix($0) }) { throw .headerNotImplemented(name) }
    }
    if let storage = request.header("x-amz-storage-class"), !storageClasses.contains(storage) {
      throw .invalidStorageClass()
    }
    if let encryption = request.header("x-amz-server-side-encryption"), !encryptions.contains(encryption) {
      throw .invalidArgument(
        "The encryption method specified is not supported", name: "x-amz-server-side-encryption", value: encryption)
    }
  }

  /// Bytes of names, without `x-amz-meta-`, and values.
  private static let largestMetadata = 2048

  private static func checkMetadata(_ request: HTTPRequest) throws(AWSError) {
    let prefix = "x-amz-meta-"
    let size = request.headers.reduce(0) { sum, header in
      header.name.lowercased().hasPrefix(prefix)
        ? sum + header.name.utf8.count - prefix.utf8.count + header.value.utf8.count : sum
    }
    guard size <= largestMetadata else { throw .metadataTooLarge(size, limit: largestMetadata) }
  }

  private static let storageClasses = [
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE",
    "GLACIER_IR",
  ]
  private static let encryptions = ["AES256", "aws:kms", "aws:kms:dsse"]

  /// Adds to an object what the headers of its request say of it.
  static func describe(_ draft: inout S3Draft, by request: HTTPRequest, at now: Timestamp) throws(AWSError) {
    draft.headers = kept(request)
    if let header = request.header("x-amz-tagging") { draft.tags = try S3Tags(header: header) }
    draft.lock = try S3Lock(request, at: now)
    draft.access = try S3AccessList(request)
  }

  /// The bytes that a `Range` header asks for; nil = all, as for a header that nobody understands.
  static func range(_ header: String?, size: Int) throws(AWSError) -> Range<Int>? {
    guard let header, header.hasPrefix("bytes=") else { return nil }
    let text = header.dropFirst(6)
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, !text.contains(",") else { return nil }
    if parts[0].isEmpty {
      guard let count = Int(parts[1]), count >= 0 else { return nil }
      guard count > 0, size > 0 else { throw .invalidRange(header, size: size) }
      return max(0, size - count)..<size
    }
    guard let first = Int(parts[0]), first >= 0, parts[1].isEmpty || Int(parts[1]) != nil else { return nil }
    guard first < size else { throw .invalidRange(header, size: size) }
    let last = Int(parts[1]) ?? size - 1
    guard last >= first else { return nil }
    return first..<min(size, last < Int.max ? last + 1 : last)
  }
}

extension S3.Conditions {
  /// Decides about the source of a copy, of which nobody has an older version.
  func checkCopied(_ object: S3Object) throws(AWSError) {
    do throws(AWSError) { try check(object) } catch {
      throw error.status == 304 ? .preconditionFailed("x-amz-copy-source-If-None-Match") : error
    }
  }

  /// Decides as HTTP says: a tag counts more than a time.
  func check(_ object: S3Object) throws(AWSError) {
    // Headers have seconds.
    let modified = object.modified.seconds
    if let ifMatch {
      guard S3.Conditions.holds(ifMatch, object.etag) else { throw .preconditionFailed("If-Match") }
    } else if let date = ifUnmodifiedSince.flatMap({ Timestamp(httpDate: $0) }), modified > date.seconds {
      throw .preconditionFailed("If-Unmodified-Since")
    }
    if let ifNoneMatch {
      if S3.Conditions.holds(ifNoneMatch, object.etag) { throw .notModified(object.quotedETag) }
    } else if let date = ifModifiedSince.flatMap({ Timestamp(httpDate: $0) }), modified <= date.seconds {
      throw .notModified(object.quotedETag)
    }
  }

  static func holds(_ condition: String, _ etag: String) -> Bool {
    condition.split(separator: ",").contains { part in
      let tag = part.filter { $0 != " " && $0 != "\"" }
      return tag == "*" || tag == etag
    }
  }

  /// The condition of a write: on what is there now.
  func refusal(of newest: S3Object?, key: String) -> AWSError? {
    if let ifNoneMatch {
      guard ifNoneMatch.filter({ $0 != "\"" }) == "*" else { return .headerNotImplemented("If-None-Match") }
      if newest != nil { return .preconditionFailed("If-None-Match") }
    }
    if let ifMatch {
      guard let newest else { return .noSuchKey(key) }
      if !S3.Conditions.holds(ifMatch, newest.etag) { return .preconditionFailed("If-Match") }
    }
    return nil
  }
}
