// Writes a zip archive to a file, piece by piece: what CodeArchive unpacks again.
import CArchive
import Glibc
import MartletCore

package struct ZipWriter: ~Copyable {
  private let archive: OpaquePointer
  private let path: String

  /// Begins the archive. An existing file is replaced.
  package init(_ path: String) throws(Fault) {
    archive = try ZipWriter.begin(path)
    self.path = path
  }

  private static func begin(_ path: String) throws(Fault) -> OpaquePointer {
    guard let archive = archive_write_new() else { throw Fault("archive_write_new") }
    guard archive_write_set_format_zip(archive) == ARCHIVE_OK, archive_write_open_filename(archive, path) == ARCHIVE_OK
    else {
      let fault = Fault("create \(path)", reason(archive))
      archive_write_free(archive)
      throw fault
    }
    return archive
  }

  deinit { archive_write_free(archive) }

  /// A file whose content is given.
  package func add(_ name: String, content: [UInt8]) throws(Fault) {
    try header(name, type: 0o100000, mode: 0o644, size: content.count)
    let written = content.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
    guard written == content.count else { throw Fault("write \(path)", ZipWriter.reason(archive)) }
  }

  /// A file of this host.
  package func add(_ name: String, file: String, isExecutable: Bool) throws(Fault) {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(file)", errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Fault("look at \(file)", errno: errno) }
    try header(name, type: 0o100000, mode: isExecutable ? 0o755 : 0o644, size: Int(status.st_size))
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(descriptor, &piece, piece.count)
      guard count >= 0 else { throw Fault("read \(file)", errno: errno) }
      if count == 0 { return }
      guard archive_write_data(archive, piece, count) == count else {
        throw Fault("write \(path)", ZipWriter.reason(archive))
      }
    }
  }

  package func add(_ name: String, linkTo target: String) throws(Fault) {
    try header(name, type: 0o120000, mode: 0o777, size: 0, target: target)
  }

  package func addDirectory(_ name: String) throws(Fault) { try header(name, type: 0o040000, mode: 0o755, size: 0) }

  /// Writes what is still to be written. Without this call the file is no archive.
  package consuming func finish() throws(Fault) {
    guard archive_write_close(archive) == ARCHIVE_OK else { throw Fault("write \(path)", ZipWriter.reason(archive)) }
  }

  private func header(
    _ name: String, type: UInt32, mode: mode_t, size: Int, target: String? = nil
  ) throws(Fault) {
    guard let entry = archive_entry_new() else { throw Fault("archive_entry_new") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, name)
    archive_entry_set_filetype(entry, type)
    archive_entry_set_perm(entry, mode)
    archive_entry_set_size(entry, la_int64_t(size))
    archive_entry_set_mtime(entry, 0, 0)
    if let target { archive_entry_set_symlink(entry, target) }
    guard archive_write_header(archive, entry) == ARCHIVE_OK else {
      throw Fault("write \(path)", ZipWriter.reason(archive))
    }
  }

  private static func reason(_ archive: OpaquePointer) -> String {
    archive_error_string(archive).map { String(cString: $0) } ?? "unknown failure"
  }
}
