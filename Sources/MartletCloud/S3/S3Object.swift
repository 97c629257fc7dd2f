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
  var tags = S3Tags()
  var lock = S3Lock()
  /// Who may do what, as a document; nil = its owner may do all.
  var accessList: String?
  /// What it was put together from; empty if it came whole.
  var parts: [Part] = []
  /// When its bucket's lifecycle will delete it, as answers say it; not kept.
  var expiration: String?

  /// One of the parts that an object came in.
  struct Part: Sendable, Equatable {
    let number: Int
    /// Bytes.
    let size: Int
    /// In base64; nil if only the whole has one.
    let checksum: String?
  }

  static let nullVersion = "null"

  init(key: String, version: String = nullVersion, sequence: Int64 = 0, modified: Timestamp) {
    self.key = key
    self.version = version
    self.sequence = sequence
    self.modified = modified
  }

  /// What is no version's id is not looked for.
  static func refusal(ofVersion id: String) -> AWSError? {
    if id.isEmpty { return .invalidArgument("Version id cannot be the empty string", name: "versionId", value: id) }
    let isID = id == nullVersion || (id.utf8.count == 32 && id.utf8.allSatisfy { (46...122).contains($0) && $0 != 47 })
    return isID ? nil : .invalidArgument("Invalid version id specified", name: "versionId", value: id)
  }

  /// As listings show it: they have no fractions of seconds.
  var shownModified: String { Timestamp(milliseconds: modified.seconds * 1000).iso8601 }

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
      if !tags.all.isEmpty {
        json.name("Tags")
        json.array(tags.all) { json, tag in json.array([tag.key, tag.value]) { $0.value($1) } }
      }
      if let lock = lock.json {
        json.name("Lock")
        json.value(lock)
      }
      if let accessList {
        json.name("ACL")
        json.value(accessList)
      }
      if !parts.isEmpty {
        json.name("Parts")
        json.array(parts) { json, part in
          let numbers = [JSONValue.integer(Int64(part.number)), .integer(Int64(part.size))]
          json.value(.array(numbers + (part.checksum.map { [.string($0)] } ?? [])))
        }
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
    tags = S3Tags(
      (json["Tags"]?.array ?? []).compactMap { pair in
        guard let pair = pair.array, pair.count == 2, let key = pair[0].string, let value = pair[1].string else {
          return nil
        }
        return S3Tags.Tag(key: key, value: value)
      })
    lock = S3Lock(json["Lock"])
    accessList = json["ACL"]?.string
    parts = (json["Parts"]?.array ?? []).compactMap { part in
      guard let part = part.array, part.count >= 2, let number = part[0].integer, let size = part[1].integer else {
        return nil
      }
      return Part(number: number, size: size, checksum: part.count > 2 ? part[2].string : nil)
    }
  }
}

/// An object as a request describes it, with its bytes in a file.
struct S3Draft: Sendable {
  /// Bytes.
  var size = 0
  var etag = ""
  var file = ""
  var headers: [(name: String, value: String)] = []
  var checksum: (algorithm: String, value: String)?
  var tags = S3Tags()
  var lock = S3Lock()
  var access = S3AccessList()
  /// A list that is a document already.
  var keptList: String?
  var parts: [S3Object.Part] = []

  /// What is said of the object, with the bytes of another draft.
  func with(_ bytes: S3Draft) -> S3Draft {
    var draft = self
    draft.size = bytes.size
    draft.etag = bytes.etag
    draft.file = bytes.file
    draft.checksum = bytes.checksum
    draft.parts = bytes.parts
    return draft
  }
}
