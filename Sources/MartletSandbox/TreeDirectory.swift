// Directories of trees that strangers have made, worked on by descriptor: names are bytes, and links are never followed
// out of the tree.
import CArchive  // whose headers bring the compiler its `stat`
import CMartlet
import Glibc
import MartletCore

/// An open directory, closed when nobody holds it any more.
package final class TreeDirectory {
  let descriptor: CInt

  /// Takes over a descriptor.
  init(adopting descriptor: CInt) { self.descriptor = descriptor }

  /// Opens a directory of the host.
  package init(path: String) throws(Fault) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(path)", errno: errno) }
  }

  deinit { close(descriptor) }

  /// Opens something below, with this directory as "/" for all links on the way. A descriptor, or -errno.
  func openInside(_ path: [CChar], _ flags: CInt) -> CInt { cm_open_in_root(descriptor, path, flags) }

  /// What stands at a name, nil if nothing does; a link is itself.
  func look(at name: [CChar]) -> stat? {
    var status = stat()
    return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }

  /// The names in it, without `.` and `..`, each with its terminator.
  func names() throws(Fault) -> [[CChar]] {
    // A descriptor of its own: reading moves its position, and closing the stream closes it.
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw Fault("read a directory", errno: errno) }
    defer { closedir(stream) }
    var names: [[CChar]] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
        }
      }
      if name != [46, 0], name != [46, 46, 0] { names.append(name) }
    }
    return names
  }

  /// Opens the real directory at a name; nil if it is none.
  func directory(_ name: [CChar]) -> TreeDirectory? {
    let child = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    return child >= 0 ? TreeDirectory(adopting: child) : nil
  }

  /// Removes what stands at a name, with all that is below. Holds a descriptor for each level.
  package func remove(_ name: [CChar]) throws(Fault) {
    if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return }
    guard let child = directory(name) else { throw Fault("remove \(TreeDirectory.text(name))", errno: errno) }
    for inner in try child.names() { try child.remove(inner) }
    guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 else {
      throw Fault("remove \(TreeDirectory.text(name))", errno: errno)
    }
  }

  /// For messages only: bytes that are no text are replaced.
  static func text(_ name: [CChar]) -> String {
    String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
