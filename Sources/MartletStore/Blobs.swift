// Bytes named by their SHA-256: deployment packages today, payloads later. Stored once however often they are used.
import Glibc
import MartletCore

package struct Blobs: Sendable {
  private let root: String

  /// `root` is made if it is not there.
  package init(root: String) throws(Fault) {
    self.root = root
    try Files.makeDirectory(root)
  }

  /// `key` is the SHA-256 in lower-case hexadecimal. On return the bytes are on disk.
  package func put(_ bytes: UnsafeRawBufferPointer, key: String) throws(Fault) {
    let path = self.path(key)
    // A blob that is wanted again is young again (`collect`).
    if utimes(path, nil) == 0 { return }
    try Files.makeDirectory("\(root)/\(key.prefix(2))")
    try Files.writeDurably(bytes, to: path)
  }

  package func get(_ key: String) throws(Fault) -> [UInt8] { try Files.read(path(key)) }

  package func remove(_ key: String) { unlink(path(key)) }

  /// Removes what nobody uses. Blobs younger than `age` are kept: whoever stored one may not have said so yet.
  /// - Returns: how many were removed.
  package func collect(keeping used: Set<String>, olderThan age: Duration) -> Int {
    var removed = 0
    for directory in Files.names(in: root) where directory.utf8.count == 2 {
      for name in Files.names(in: "\(root)/\(directory)")
      where !used.contains(name) && Files.isOlder("\(root)/\(directory)/\(name)", than: age) {
        remove(name)
        removed += 1
      }
    }
    return removed
  }

  /// Where the blob lies; callers may read it, never write it.
  package func path(_ key: String) -> String { "\(root)/\(key.prefix(2))/\(key)" }
}
