// The one directory that holds everything a server knows. One server at a time.
import Glibc
import MartletCore
import MartletStore

package final class StateDirectory: Sendable {
  package let path: String
  private let lock: CInt

  /// Makes the directory if need be, gives it to `owner`, and locks it.
  /// - Throws: a `Fault` whose text names the server that holds it, or what cannot be written.
  package init(path: String, owner: (user: uid_t, group: gid_t)?) throws(Fault) {
    // Parents that are made on the way are for everybody to pass through; the directory itself is the server's alone.
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try Files.makeDirectory(String(path[..<slash]), mode: 0o755)
    }
    try Files.makeDirectory(path)
    self.path =
      realpath(path, nil).map { pointer in
        defer { free(pointer) }
        return String(cString: pointer)
      } ?? path
    lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw Fault("open \(path)/lock", errno: errno) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      var text = [UInt8](repeating: 0, count: 32)
      let count = max(0, pread(lock, &text, text.count, 0))
      let holder = String(decoding: text[0..<count], as: UTF8.self).filter(\.isNumber)
      throw Fault(
        "state directory \(path)",
        "another martlet server\(holder.isEmpty ? "" : " (process \(holder))") uses it; stop that one, or choose another "
          + "directory with --state")
    }
    let mine = "\(getpid())\n"
    ftruncate(lock, 0)
    _ = mine.withCString { pwrite(lock, $0, strlen($0), 0) }
    for name in ["blobs", "trees", "images", "runtimes", "incoming"] {
      try Files.makeDirectory("\(path)/\(name)", mode: 0o755)
    }
    if let owner { try StateDirectory.give(path, to: owner) }
  }

  package var database: String { "\(path)/martlet.db" }
  package var blobs: String { "\(path)/blobs" }
  package var trees: String { "\(path)/trees" }
  /// Unpacked container images.
  package var images: String { "\(path)/images" }
  package var runtimes: String { "\(path)/runtimes" }
  /// How far the clock was moved.
  package var clock: String { "\(path)/clock" }
  /// The bytes of the embedded S3.
  package var objects: String { "\(path)/objects" }
  /// Log events.
  package var logs: String { "\(path)/logs" }
  /// Segments of X-Ray.
  package var traces: String { "\(path)/traces.db" }
  /// Events of the audit.
  package var audit: String { "\(path)/audit.db" }
  /// Where bytes lie that are still on their way, in files without names.
  package var incoming: String { "\(path)/incoming" }

  /// Names this directory where names must be short: control groups.
  package var instance: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }

  /// Changes the owner of the directory and of everything that the server itself writes in it.
  private static func give(_ path: String, to owner: (user: uid_t, group: gid_t)) throws(Fault) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw Fault("look at \(path)", errno: errno) }
    let isDirectory = status.st_mode & 0o170000 == 0o040000
    if status.st_uid == owner.user && status.st_gid == owner.group {
      // What belongs to the server was made by it, and so was all below; the top is always looked through.
      if path.split(separator: "/").last.map({ ["trees", "blobs", "images"].contains($0) }) == true { return }
    } else if lchown(path, owner.user, owner.group) != 0 {
      throw Fault("give \(path) to user \(owner.user)", errno: errno)
    }
    guard isDirectory else { return }
    for name in Files.names(in: path) { try give(path + "/" + name, to: owner) }
  }
}
