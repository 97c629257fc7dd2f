// Unpacks a zip archive that somebody sent us. libarchive parses; the policy on names, kinds and sizes is ours.
import CArchive
import Glibc
import MartletCore

package enum CodeArchive {
  /// Why an archive was refused.
  package enum Flaw: Error, Equatable, Sendable {
    /// Not a zip file, or a damaged one.
    case malformed
    /// No files in it.
    case empty
    /// Unpacked it would be larger than allowed.
    case tooLarge
    /// An entry that would lie outside of the archive, or is neither file, directory nor link.
    case unsafeEntry(String)
    /// The host failed.
    case host(Fault)
  }

  private static let endOfArchive = Array("PK\u{5}\u{6}".utf8)

  /// Unpacks `bytes` into the directory `destination`, which must exist, be empty, and be writable by nobody else.
  /// What was unpacked before a flaw was found stays there: the caller removes the directory.
  /// - Returns: the number of bytes of all files.
  package static func extract(
    _ bytes: UnsafeRawBufferPointer, into destination: String, limit: ByteCount
  ) throws(Flaw) -> ByteCount {
    // libarchive takes an archive that is nothing but its end for something else.
    guard !bytes.starts(with: endOfArchive) else { throw .empty }
    guard let archive = archive_read_new() else { throw .host(Fault("archive_read_new")) }
    defer { archive_read_free(archive) }
    // Only the zip reader, so that an upload cannot reach the parsers of other formats.
    archive_read_support_format_zip_seekable(archive)
    guard archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK else { throw .malformed }
    var extraction = Extraction(archive: archive, destination: destination, limit: limit.bytes)
    try extraction.run()
    return .bytes(extraction.total)
  }
}

private struct Extraction {
  let archive: OpaquePointer
  let destination: String
  let limit: Int
  var total = 0
  var entries = 0
  /// Made after the last file, so that no file can be written through one.
  var links: [(path: String, target: String)] = []

  /// More entries than this are refused: each costs an inode whatever its size.
  static let maximumEntries = 200_000

  init(archive: OpaquePointer, destination: String, limit: Int) {
    self.archive = archive
    self.destination = destination
    self.limit = limit
  }

  mutating func run() throws(CodeArchive.Flaw) {
    var entry: OpaquePointer?
    while true {
      switch archive_read_next_header(archive, &entry) {
      case ARCHIVE_OK, ARCHIVE_WARN:
        guard let entry else { throw .malformed }
        entries += 1
        if entries > Extraction.maximumEntries { throw .tooLarge }
        try unpack(entry)
      case ARCHIVE_EOF:
        guard entries > 0 else { throw .empty }
        for link in links { try make(link) }
        return
      default: throw .malformed
      }
    }
  }

  private mutating func unpack(_ entry: OpaquePointer) throws(CodeArchive.Flaw) {
    guard let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else { throw .malformed }
    let path = String(cString: name)
    let parts = path.split(separator: "/").filter { $0 != "." }
    guard !path.hasPrefix("/"), !parts.contains(".."), path.utf8.count < 4096 else { throw .unsafeEntry(path) }
    guard !parts.isEmpty else { return }
    let mode = archive_entry_perm(entry)
    switch archive_entry_filetype(entry) {
    case 0o040000:
      try makeDirectories(parts[...], path)
    case 0o100000, 0:
      try makeDirectories(parts.dropLast(), path)
      try write(entry, to: destination + "/" + parts.joined(separator: "/"), mode: mode, path)
    case 0o120000:
      try makeDirectories(parts.dropLast(), path)
      guard let target = archive_entry_symlink_utf8(entry) else { throw .malformed }
      let text = String(cString: target)
      guard Extraction.staysInside(text, from: parts.count - 1) else { throw .unsafeEntry(path) }
      links.append((destination + "/" + parts.joined(separator: "/"), text))
    default: throw .unsafeEntry(path)
    }
  }

  /// A link may point anywhere within the archive, and nowhere else.
  private static func staysInside(_ target: String, from depth: Int) -> Bool {
    guard !target.isEmpty, !target.hasPrefix("/") else { return false }
    var level = depth
    for part in target.split(separator: "/") where part != "." {
      level += part == ".." ? -1 : 1
      if level < 0 { return false }
    }
    return true
  }

  private func makeDirectories(_ parts: ArraySlice<Substring>, _ path: String) throws(CodeArchive.Flaw) {
    var directory = destination
    for part in parts {
      directory += "/" + part
      if mkdir(directory, 0o755) == 0 { continue }
      guard errno == EEXIST else { throw Extraction.flaw(path) }
      var status = stat()
      guard lstat(directory, &status) == 0, status.st_mode & 0o170000 == 0o040000 else { throw .unsafeEntry(path) }
    }
  }

  private mutating func write(
    _ entry: OpaquePointer, to file: String, mode: mode_t, _ path: String
  ) throws(CodeArchive.Flaw) {
    let declared = archive_entry_size_is_set(entry) != 0 ? Int(archive_entry_size(entry)) : nil
    if let declared, declared > limit - total { throw .tooLarge }
    // Everybody may read, and execute what anybody could: the sandbox's user is not the owner.
    let execute: mode_t = mode & 0o111 != 0 ? 0o111 : 0
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Extraction.flaw(path) }
    defer { close(descriptor) }
    fchmod(descriptor, 0o644 | execute)
    var block: UnsafeRawPointer?
    var size = 0
    var offset: Int64 = 0
    var written = 0
    while true {
      switch archive_read_data_block(archive, &block, &size, &offset) {
      case ARCHIVE_OK, ARCHIVE_WARN: break
      case ARCHIVE_EOF:
        total += written
        return
      default: throw .malformed
      }
      written += size
      if written > limit - total { throw .tooLarge }
      if let declared, written > declared { throw .malformed }
      var done = 0
      while done < size {
        let count = pwrite(descriptor, block.map { $0 + done }, size - done, off_t(offset) + off_t(done))
        guard count > 0 else { throw .host(Fault("unpack \(path)", errno: errno)) }
        done += count
      }
    }
  }

  private func make(_ link: (path: String, target: String)) throws(CodeArchive.Flaw) {
    unlink(link.path)
    guard symlink(link.target, link.path) == 0 else { throw .unsafeEntry(link.path) }
  }

  /// A name that collides with another entry, or is too long, is the archive's fault; a full disk is the host's.
  private static func flaw(_ path: String) -> CodeArchive.Flaw {
    switch errno {
    case ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EINVAL, EILSEQ: .unsafeEntry(path)
    default: .host(Fault("unpack \(path)", errno: errno))
    }
  }
}
