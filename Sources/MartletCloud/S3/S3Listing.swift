// Pages of keys: with a prefix, and with what lies behind a delimiter rolled up.
import MartletCore
import MartletStore
import MartletWire

/// What a listing asks for.
struct S3ListingRequest: Sendable {
  var prefix = ""
  /// Empty = none.
  var delimiter = ""
  /// Keys up to this one are not wanted; empty = none.
  var after = ""
  /// With `after`: versions of that key from this one on are not wanted either.
  var afterVersion: String?
  var count = 1000
  var isURLEncoded = false
  /// All versions and markers, or what GET finds.
  var hasVersions = false

  /// Reads what all listings have in common.
  init(_ r: Reader) throws(AWSError) {
    prefix = r.query("prefix") ?? ""
    delimiter = r.query("delimiter") ?? ""
    count = try r.pageSize("max-keys", "maxKeys")
    isURLEncoded = try r.isURLEncoded()
  }

  /// A key as the answer shows it.
  func shown(_ key: String) -> String { isURLEncoded ? S3Event.encoded(key) : key }
}

struct S3Listing: Sendable {
  var objects: [S3Object] = []
  /// Rolled up: prefixes that end in the delimiter.
  var prefixes: [String] = []
  var isTruncated = false
  /// The last key or prefix of the page.
  var last = ""
  /// The last version of the page, if a version was the last.
  var lastVersion: String?
}

extension SQLSession {
  /// Reads rows until the page is full; a prefix that is rolled up costs one row, however much lies behind it.
  func list(_ bucket: String, _ request: S3ListingRequest) throws(Fault) -> S3Listing {
    var listing = S3Listing()
    guard request.count > 0 else { return listing }
    var after: (key: String, sequence: Int64?)?
    if !request.after.isEmpty { after = (request.after, nil) }
    if let version = request.afterVersion, !request.after.isEmpty {
      after = (request.after, try self.version(bucket, request.after, version)?.sequence)
    }
    while true {
      let missing = request.count - listing.objects.count - listing.prefixes.count
      let rows = try versions(
        bucket, prefix: request.prefix, after: after, isLatest: !request.hasVersions, count: min(1000, missing + 1))
      guard !rows.isEmpty else { return listing }
      for object in rows {
        guard object.key.utf8.starts(with: request.prefix.utf8) else { return listing }
        let rolled = request.rolled(object.key)
        // A page that ended with a prefix goes on behind all of it.
        if let rolled, rolled.utf8.elementsEqual(request.after.utf8) || listing.ends(with: rolled) {
          after = (S3Listing.end(of: rolled), nil)
          break
        }
        guard listing.objects.count + listing.prefixes.count < request.count else {
          listing.isTruncated = true
          return listing
        }
        listing.last = rolled ?? object.key
        listing.lastVersion = rolled == nil ? object.version : nil
        if let rolled {
          listing.prefixes.append(rolled)
          after = (S3Listing.end(of: rolled), nil)
          break
        }
        listing.objects.append(object)
        after = (object.key, request.hasVersions ? object.sequence : nil)
      }
    }
  }
}

extension S3Listing {
  fileprivate func ends(with prefix: String) -> Bool { prefixes.last?.utf8.elementsEqual(prefix.utf8) ?? false }

  /// Behind every key that begins with `prefix`.
  fileprivate static func end(of prefix: String) -> String { prefix + "\u{10FFFF}" }
}

extension S3ListingRequest {
  fileprivate func rolled(_ key: String) -> String? {
    S3Listing.rolled(key, prefix: prefix, delimiter: delimiter)
  }
}

extension S3Listing {
  /// The prefix that stands for a key, if the delimiter is in what follows the request's own prefix.
  static func rolled(_ key: String, prefix: String, delimiter: String) -> String? {
    guard !delimiter.isEmpty else { return nil }
    let bytes = Array(key.utf8)
    let needle = Array(delimiter.utf8)
    var i = prefix.utf8.count
    while i + needle.count <= bytes.count {
      if bytes[i..<(i + needle.count)].elementsEqual(needle) {
        return String(decoding: bytes[..<(i + needle.count)], as: UTF8.self)
      }
      i += 1
    }
    return nil
  }
}

// MARK: - In XML

extension S3Listing {
  static let namespace = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

  /// What the two listings of objects have in common.
  func writeObjects(to xml: inout XMLWriter, _ request: S3ListingRequest, owner: String?) {
    for object in objects {
      xml.element("Contents") { xml in
        xml.element("Key", request.shown(object.key))
        xml.element("LastModified", object.shownModified)
        xml.element("ETag", object.quotedETag)
        if let checksum = object.checksum {
          xml.element("ChecksumAlgorithm", checksum.algorithm)
          xml.element("ChecksumType", object.checksumType)
        }
        xml.element("Size", String(object.size))
        if let owner { xml.element("Owner") { $0.element("ID", owner) } }
        xml.element("StorageClass", object.storageClass)
      }
    }
    writePrefixes(to: &xml, request)
  }

  func writePrefixes(to xml: inout XMLWriter, _ request: S3ListingRequest) {
    for prefix in prefixes {
      xml.element("CommonPrefixes") { $0.element("Prefix", request.shown(prefix)) }
    }
  }
}

extension Reader {
  /// How many entries a page shall have.
  /// - Parameter argument: as the error names it.
  func pageSize(_ name: String, _ argument: String, least: Int = 0) throws(AWSError) -> Int {
    guard let text = query(name), !text.isEmpty else { return 1000 }
    guard let count = Int(text), count <= Int(Int32.max) else {
      throw .invalidArgument("Provided \(name) not an integer or within integer range", name: name, value: text)
    }
    guard count >= least else {
      throw .invalidArgument(
        "Argument \(argument) must be an integer between \(least) and 2147483647", name: argument, value: text)
    }
    return min(1000, count)
  }

  func isURLEncoded() throws(AWSError) -> Bool {
    guard let encoding = query("encoding-type"), !encoding.isEmpty else { return false }
    guard encoding == "url" else {
      throw .invalidArgument("Invalid Encoding Method specified in Request", name: "encoding-type", value: encoding)
    }
    return true
  }
}

extension S3Object {
  var storageClass: String { headers.first { $0.name == "x-amz-storage-class" }?.value ?? "STANDARD" }
}

extension Account {
  /// The canonical user id of an account, made from its number.
  var canonicalID: String { Digest.hex(Digest.sha256("martlet canonical user \(id)")) }
}

extension Writer {
  /// A body of XML.
  mutating func xml(_ root: String, _ body: (inout XMLWriter) -> Void) {
    header("Content-Type", "application/xml")
    payload(S3Document.text(root, S3Listing.namespace, body))
  }
}
