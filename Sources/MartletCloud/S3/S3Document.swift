// XML in and out of S3, and what several operations read or write.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

enum S3Document {
  /// Largest body of XML: a thousand keys with all that XML makes of them, or ten thousand parts.
  static let limit = 8 << 20

  /// A whole document.
  static func text(_ root: String, _ attributes: String, _ body: (inout XMLWriter) -> Void) -> ByteBuffer {
    var xml = XMLWriter()
    xml.element(root, attributes, body)
    return ByteBuffer(string: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\(xml.text)")
  }

  /// A document that is there already.
  static func text(_ document: XMLElement, _ attributes: String) -> ByteBuffer {
    var xml = XMLWriter()
    xml.element(document, attributes)
    return ByteBuffer(string: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\(xml.text)")
  }

  /// The body of a request, checked against what the client said of it.
  /// - Parameter sumsObject: the request's checksums are those of an object, not of the body.
  /// - Returns: nil if there is none and none is needed.
  static func read(
    _ r: Reader, _ root: String, isOptional: Bool = false, sumsObject: Bool = false
  ) throws(AWSError) -> XMLElement? {
    var request = r.request
    if sumsObject { for algorithm in ChecksumAlgorithm.withHeader { request.headers.remove(name: algorithm.header) } }
    let bytes = try S3Body(request).whole(limit: limit)
    if bytes.readableBytes == 0, isOptional { return nil }
    do throws(XMLFlaw) {
      let element = try XMLElement(parsing: bytes.readableBytesView)
      return element.name == root ? element : nil
    } catch {
      throw .malformedXML()
    }
  }
}

/// An answer that says no more than that it was done.
struct S3Done: Writable {
  func write(to w: inout Writer) { w.isTyped = false }
}

/// An answer that says no more than which version it was done to.
struct S3VersionDone: Writable {
  let version: String?

  func write(to w: inout Writer) {
    w.isTyped = false
    w.header("x-amz-version-id", version)
  }
}

/// A request about one version of an object.
struct S3ObjectRequest: Readable, Sendable {
  let bucket: String
  let key: String
  /// nil = the newest.
  let version: String?

  init(_ r: Reader) throws(AWSError) {
    bucket = r.path("Bucket")
    key = try r.objectKey()
    version = r.query("versionId")
  }
}

/// Another object: `bucket/key?versionId=…`, with or without a slash before it.
struct S3CopySource: Sendable {
  let bucket: String
  let key: String
  let version: String?

  init(_ header: String) throws(AWSError) {
    var text = Substring(header)
    var version: String?
    if let mark = text.range(ofText: "?versionId=") {
      version = Percent.decode(text[mark.end...])
      text = text[..<mark.start]
    }
    if text.first == "/" { text = text.dropFirst() }
    let path = Percent.decode(text)
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw .invalidArgument(
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", name: "x-amz-copy-source",
        value: header)
    }
    bucket = String(parts[0])
    key = String(parts[1])
    self.version = version
  }
}

extension Substring {
  fileprivate func range(ofText text: String) -> (start: Index, end: Index)? {
    var index = startIndex
    while index != endIndex {
      if self[index...].hasPrefix(text) { return (index, self.index(index, offsetBy: text.count)) }
      index = self.index(after: index)
    }
    return nil
  }
}

extension Reader {
  /// The key of the request's path.
  func objectKey() throws(AWSError) -> String {
    let key = path("Key")
    try S3Headers.check(key: key)
    return key
  }
}

extension Reader {
  /// `x-amz-checksum-algorithm`; nil if it is not said.
  func checksumAlgorithm() throws(AWSError) -> ChecksumAlgorithm? {
    guard let name = request.header("x-amz-checksum-algorithm") else { return nil }
    guard let algorithm = ChecksumAlgorithm(rawValue: name), algorithm != .md5 else {
      throw .invalidRequest(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
          + "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    }
    return algorithm
  }

  func partNumber() throws(AWSError) -> Int {
    let text = query("partNumber") ?? ""
    guard let number = Int(text), S3Part.numbers.contains(number) else {
      throw .invalidArgument(
        "Part number must be an integer between 1 and 10000, inclusive", name: "partNumber", value: text)
    }
    return number
  }
}

extension Writer {
  /// A document that is one text.
  mutating func xmlText(_ root: String, _ text: String) {
    var xml = XMLWriter()
    xml.element("t", text)
    let escaped = xml.text.dropFirst(3).dropLast(4)
    header("Content-Type", "application/xml")
    payload(
      ByteBuffer(
        string: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(root) \(S3Listing.namespace)>\(escaped)</\(root)>"))
  }

  mutating func writeChecksum(of object: S3Object) {
    guard let checksum = object.checksum else { return }
    header("x-amz-checksum-\(checksum.algorithm.lowercased())", checksum.value)
    header("x-amz-checksum-type", object.checksumType)
  }

  mutating func writeEncryption(of object: S3Object) {
    for header in object.headers where header.name.hasPrefix("x-amz-server-side-encryption") {
      self.header(header.name, header.value)
    }
  }
}

extension S3Service {
  func list(
    _ name: String, _ request: S3ListingRequest, _ call: Call
  ) async throws(AWSError) -> (S3Bucket, S3Listing) {
    try await catalogue.read { session throws(Fault) in
      switch try session.ownBucket(name, call) {
      case .failure(let error): return .failure(error)
      case .success(let bucket): return .success((bucket, try session.list(name, request)))
      }
    }
  }
}
