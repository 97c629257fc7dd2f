// Bytes that are too many for memory: an open file that closes itself when nobody holds it any more.
import Glibc

/// A file that is read by position and so can be shared; it stays readable when its name is removed.
package final class OpenFile: Sendable {
  package let descriptor: CInt
  /// Bytes in the file.
  package let size: Int
  /// What saw the bytes while they were written.
  package let filter: (any DraftFilter)?

  /// Takes over a descriptor whose file is written to its end.
  package init(adopting descriptor: CInt, size: Int, filter: (any DraftFilter)? = nil) {
    self.descriptor = descriptor
    self.size = size
    self.filter = filter
  }

  /// Opens a file for reading.
  package convenience init(path: String) throws(Fault) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(path)", errno: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw Fault("look at \(path)", errno: code)
    }
    self.init(adopting: descriptor, size: Int(status.st_size))
  }

  deinit { close(descriptor) }

  /// Shows the whole content as memory. Its pages are the file's, so they cost nothing that cannot be taken back.
  package func withBytes<T, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> T) throws(E) -> T {
    guard size > 0, let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
      precondition(size == 0, "a file cannot be mapped: \(systemErrorText(errno))")
      return try body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    defer { munmap(address, size) }
    return try body(UnsafeRawBufferPointer(start: address, count: size))
  }

  /// Gives the content piece by piece.
  /// - Parameter range: the bytes to read; they must be there.
  package func forEachPiece(
    in range: Range<Int>? = nil, _ body: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    var position = range?.lowerBound ?? 0
    let end = range?.upperBound ?? size
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while position < end {
      let wanted = min(piece.count, end - position)
      let count = pread(descriptor, &piece, wanted, off_t(position))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Fault("read a file", errno: count < 0 ? errno : 0, "it is shorter than it was") }
      let result = piece.withUnsafeBytes { raw in
        Result { () throws(Fault) in try body(UnsafeRawBufferPointer(rebasing: raw[0..<count])) }
      }
      try result.get()
      position += count
    }
  }

  /// Gives a draft a name. When this returns, its bytes are on disk; the directory is the caller's business.
  /// - Throws: also where a file without a name can have none, as on some file systems, or on another one.
  package func keep(as path: String) throws(Fault) {
    guard fsync(descriptor) == 0 else { throw Fault("fsync a draft", errno: errno) }
    guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 else {
      throw Fault("name a draft \(path)", errno: errno)
    }
  }
}

/// Looks at bytes on their way into a draft, and decides what of them is written.
package protocol DraftFilter: AnyObject, Sendable {
  /// Called by one thread at a time, in the order of the bytes.
  func append(
    _ bytes: UnsafeRawBufferPointer, _ write: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault)
}

/// A file that is being written and has no name: nothing is left of it if the server dies.
package final class DraftFile: @unchecked Sendable {
  // `@unchecked`: whoever makes it hands it from one thread to the next, and never uses it from two at a time.
  private var descriptor: CInt
  package private(set) var size = 0

  private let limit: Int
  private let filter: (any DraftFilter)?

  /// `O_TMPFILE`, which is no constant to Swift.
  private static let nameless = O_DIRECTORY | 0o20000000

  /// - Parameters:
  ///   - directory: where the bytes lie; must exist.
  ///   - limit: the file keeps no more than one byte beyond it, by which its reader sees that there was more.
  package init(in directory: String, limit: ByteCount? = nil, filter: (any DraftFilter)? = nil) throws(Fault) {
    self.limit = limit?.bytes ?? Int.max - 1
    self.filter = filter
    let nameless = open(directory, O_RDWR | DraftFile.nameless | O_CLOEXEC, 0o600)
    guard nameless < 0 else {
      descriptor = nameless
      return
    }
    // Not every file system has files without names.
    let path = "\(directory)/draft-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Fault("make a file in \(directory)", errno: errno) }
    unlink(path)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    guard let filter else { return try keep(bytes) }
    try filter.append(bytes) { bytes throws(Fault) in try keep(bytes) }
  }

  private func keep(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    let wanted = min(bytes.count, limit + 1 - size)
    var offset = 0
    while offset < wanted {
      let count = write(descriptor, bytes.baseAddress.map { $0 + offset }, wanted - offset)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Fault("write a file", errno: errno) }
      offset += count
    }
    size += wanted
  }

  /// Ends the writing.
  package func finish() -> OpenFile {
    precondition(descriptor >= 0, "a draft is finished once")
    defer { descriptor = -1 }
    return OpenFile(adopting: descriptor, size: size, filter: filter)
  }
}
