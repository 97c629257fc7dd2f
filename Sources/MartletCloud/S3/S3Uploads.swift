// Objects that come in parts: what has come so far.
import MartletCore
import MartletStore
import MartletWire

extension SQLSession {
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
  func deleteUpload(_ id: String) throws(Fault) -> [String] {
    let files = try rows("SELECT file FROM s3_parts WHERE upload = ?", [.text(id)]).map { $0.text("file") }
    try execute("DELETE FROM s3_parts WHERE upload = ?", [.text(id)])
    try execute("DELETE FROM s3_uploads WHERE id = ?", [.text(id)])
    return files
  }
}
