// Objects that come in parts: what has come so far, and how the parts become one object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

struct S3Upload: Sendable {
  let id: String
  let bucket: String
  let key: String
  let created: Timestamp
  /// The headers of the object to come; `checksum` has its algorithm, and `COMPOSITE` or `FULL_OBJECT`.
  var object: S3Object

  var checksumAlgorithm: ChecksumAlgorithm? { object.checksum.flatMap { ChecksumAlgorithm(rawValue: $0.algorithm) } }
  var isComposite: Bool { object.checksum?.value == "COMPOSITE" }
}

struct S3Part: Sendable {
  let number: Int
  let size: Int
  /// Without quotes: the MD5 in hexadecimal.
  let etag: String
  let modified: Timestamp
  let file: String
  let checksum: (algorithm: String, value: String)?

  var quotedETag: String { "\"\(etag)\"" }

  static let numbers = 1...10_000
  /// Every part but the last has at least so many bytes.
  static let smallest = 5 << 20
}

extension SQLSession {
  func store(_ upload: S3Upload) throws(Fault) {
    try execute(
      "INSERT INTO s3_uploads (id, bucket, object, created, attributes) VALUES (?, ?, ?, ?, ?)",
      [
        .text(upload.id), .text(upload.bucket), .text(upload.key), .integer(upload.created.nanoseconds),
        .text(upload.object.attributes),
      ])
  }

  /// The upload, if it is one of that object in a bucket of the caller.
  func upload(
    _ id: String, _ bucket: String, _ key: String, _ call: Call
  ) throws(Fault) -> Result<S3Upload, AWSError> {
    if case .failure(let error) = try ownBucket(bucket, call) { return .failure(error) }
    let found = try uploads("id = ? AND bucket = ? AND object = ?", [.text(id), .text(bucket), .text(key)])
    return found.first.map { .success($0) } ?? .failure(.noSuchUpload(id))
  }

  func uploads(_ condition: String, _ arguments: [SQLValue]) throws(Fault) -> [S3Upload] {
    var list: [S3Upload] = []
    for row in try rows(
      "SELECT * FROM s3_uploads WHERE \(condition) ORDER BY object, created, id", arguments)
    {
      let created = Timestamp(nanoseconds: Int64(row.integer("created")))
      var object = S3Object(key: row.text("object"), modified: created)
      try object.read(attributes: row.text("attributes"))
      list.append(
        S3Upload(
          id: row.text("id"), bucket: row.text("bucket"), key: row.text("object"), created: created, object: object))
    }
    return list
  }

  /// - Returns: the file of the part that was replaced.
  func store(_ part: S3Part, of upload: String) throws(Fault) -> String? {
    let old = try rows(
      "SELECT file FROM s3_parts WHERE upload = ? AND part = ?", [.text(upload), .integer(Int64(part.number))])
    var attributes = S3Object(key: "", modified: part.modified)
    attributes.checksum = part.checksum
    try execute(
      """
      INSERT INTO s3_parts (upload, part, size, etag, modified, file, attributes) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (upload, part) DO UPDATE SET size = excluded.size, etag = excluded.etag,
        modified = excluded.modified, file = excluded.file, attributes = excluded.attributes
      """,
      [
        .text(upload), .integer(Int64(part.number)), .integer(Int64(part.size)), .text(part.etag),
        .integer(part.modified.nanoseconds), .text(part.file), .text(attributes.attributes),
      ])
    return old.first?.text("file")
  }

  func parts(of upload: String) throws(Fault) -> [S3Part] {
    var list: [S3Part] = []
    for row in try rows("SELECT * FROM s3_parts WHERE upload = ? ORDER BY part", [.text(upload)]) {
      let modified = Timestamp(nanoseconds: Int64(row.integer("modified")))
      var attributes = S3Object(key: "", modified: modified)
      try attributes.read(attributes: row.text("attributes"))
      list.append(
        S3Part(
          number: row.integer("part"), size: row.integer("size"), etag: row.text("etag"), modified: modified,
          file: row.text("file"), checksum: attributes.checksum))
    }
    return list
  }

  /// Forgets the uploads that are under way in a bucket.
  /// - Returns: the files that are not needed any more.
  func deleteUploads(of bucket: String) throws(Fault) -> [String] {
    var files: [String] = []
    for row in try rows("SELECT id FROM s3_uploads WHERE bucket = ?", [.text(bucket)]) {
      files += try deleteUpload(row.text("id"))
    }
    return files
  }

  /// - Returns: the files of its parts.
  @discardableResult
  func deleteUpload(_ id: String) throws(Fault) -> [String] {
    let files = try rows("SELECT file FROM s3_parts WHERE upload = ?", [.text(id)]).map { $0.text("file") }
    try execute("DELETE FROM s3_parts WHERE upload = ?", [.text(id)])
    try execute("DELETE FROM s3_uploads WHERE id = ?", [.text(id)])
    return files
  }
}

extension S3Service {
  /// Keeps a part; one of the same number is replaced.
  func put(
    _ draft: S3Draft, number: Int, upload id: String, _ bucket: String, _ key: String, _ call: Call
  ) async throws(AWSError) -> S3Part {
    let part = S3Part(
      number: number, size: draft.size, etag: draft.etag, modified: world.now(), file: draft.file,
      checksum: draft.checksum)
    do throws(AWSError) {
      let replaced = try await catalogue.write { session throws(Fault) -> Result<String?, AWSError> in
        if case .failure(let error) = try session.upload(id, bucket, key, call) { return .failure(error) }
        return .success(try session.store(part, of: id))
      }
      if let replaced { await discard([replaced]) }
      return part
    } catch {
      await discard([draft.file])
      throw error
    }
  }

  /// Makes one file of the parts. Blocks.
  static func join(_ parts: [S3Part], of upload: S3Upload, in files: S3Files) throws(AWSError) -> S3Draft {
    let tags = DigestStream(.md5)
    let whole = upload.isComposite ? nil : DigestStream(upload.checksumAlgorithm ?? .crc64nvme)
    let name = try files.create { append throws(AWSError) in
      for part in parts {
        do throws(Fault) {
          try files.open(part.file).forEachPiece { bytes throws(Fault) in
            whole?.append(bytes)
            try append(bytes)
          }
        } catch {
          throw .service("\(error)")
        }
      }
    }
    for part in parts { tags.append(hexadecimal: part.etag) }
    var draft = S3Draft(
      size: parts.reduce(0) { $0 + $1.size }, etag: "\(Digest.hex(tags.finish()))-\(parts.count)", file: name)
    draft.headers = upload.object.headers
    draft.tags = upload.object.tags
    draft.lock = upload.object.lock
    draft.keptList = upload.object.accessList
    draft.parts = parts.map { part in
      .init(
        number: part.number, size: part.size, checksum: upload.checksumAlgorithm == nil ? nil : part.checksum?.value)
    }
    if let whole {
      draft.checksum = (whole.algorithm.rawValue, Base64.encode(whole.finish()))
    } else if let algorithm = upload.checksumAlgorithm {
      let sums = parts.compactMap { $0.checksum }.filter { $0.algorithm == algorithm.rawValue }
      if sums.count == parts.count {
        let composite = DigestStream(algorithm)
        for sum in sums { Base64.decode(sum.value)?.withUnsafeReadableBytes { composite.append($0) } }
        draft.checksum = (algorithm.rawValue, "\(Base64.encode(composite.finish()))-\(parts.count)")
      }
    }
    return draft
  }
}

extension DigestStream {
  fileprivate func append(hexadecimal text: String) {
    let digits = text.compactMap(\.hexDigitValue)
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    bytes.withUnsafeBytes { append($0) }
  }
}
