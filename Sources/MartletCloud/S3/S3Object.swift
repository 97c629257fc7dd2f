// One version of an object: where its bytes lie, and what is said of it.
import MartletCore
import MartletWire

struct S3Object: Sendable {
  let key: String
  /// `null` where the bucket has no versions.
  var version: String
  /// The newest version has the highest.
  var sequence: Int64
  var isLatest = true
  /// A version that says that the object was deleted.
  var isMarker = false
  /// Bytes.
  var size = 0
  /// Without its quotes.
  var etag = ""
  var modified: Timestamp
  /// The name of the file; empty for a marker.
  var file = ""
  /// Headers that came with it and go with it, by their names as they are shown.
  var headers: [(name: String, value: String)] = []
  /// In base64, by the name of the algorithm.
  var checksum: (algorithm: String, value: String)?

  static let nullVersion = "null"

  init(key: String, version: String = nullVersion, sequence: Int64 = 0, modified: Timestamp) {
    self.key = key
    self.version = version
    self.sequence = sequence
    self.modified = modified
  }

  var quotedETag: String { "\"\(etag)\"" }

  /// A checksum of parts' checksums ends in their number.
  var checksumType: String { checksum?.value.contains("-") == true ? "COMPOSITE" : "FULL_OBJECT" }

  /// What is kept beside the columns.
  var attributes: String {
    var json = JSONWriter()
    json.object { json in
      json.name("Headers")
      json.array(headers) { json, header in
        json.array([header.name, header.value]) { $0.value($1) }
      }
      if let checksum {
        json.name("Checksum")
        json.array([checksum.algorithm, checksum.value]) { $0.value($1) }
      }
    }
    return json.text
  }

  /// - Throws: a `Fault` if the text is damaged.
  mutating func read(attributes: String) throws(Fault) {
    guard let json = try? JSONValue(parsing: attributes) else {
      throw Fault("read an object", "its row is damaged: \(attributes.prefix(200))")
    }
    headers = (json["Headers"]?.array ?? []).compactMap { pair in
      guard let pair = pair.array, pair.count == 2, let name = pair[0].string, let value = pair[1].string else {
        return nil
      }
      return (name, value)
    }
    if let pair = json["Checksum"]?.array, pair.count == 2, let name = pair[0].string, let value = pair[1].string {
      checksum = (name, value)
    }
  }
}

/// An object as a request describes it, with its bytes in a file.
struct S3Draft: Sendable {
  var size: Int
  var etag: String
  var file: String
  var headers: [(name: String, value: String)] = []
  var checksum: (algorithm: String, value: String)?
}
