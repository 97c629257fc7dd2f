// The file systems of images, one directory each, named by a digest: unpacked once, mounted ever after. What lies in a
// directory whose name ends in `.part` is unfinished, and nobody's when the server starts.
import CArchive  // whose headers bring the compiler its `stat`
import CMartlet
import Glibc
import MartletCore

package struct ImageTrees: Sendable {
  package let root: String

  /// `root` must exist. What a crash left half-done is removed.
  package init(root: String) {
    self.root = root
    remove { $0.hasSuffix(".part") }
  }

  package func path(_ key: String) -> String { "\(root)/\(key)" }

  package func contains(_ key: String) -> Bool { access(path(key), F_OK) == 0 }

  /// What is wanted again is young again (`collect`). False if it is not there.
  package func touch(_ key: String) -> Bool { utimes(path(key), nil) == 0 }

  /// A new directory in which an image can be prepared; `commit` or `discard` ends that.
  package func draft(_ key: String) throws(Fault) -> String {
    let path = "\(root)/\(key).\(UInt64.random(in: 0...UInt64.max)).part"
    guard mkdir(path, 0o755) == 0 else { throw Fault("make \(path)", errno: errno) }
    chmod(path, 0o755)
    return path
  }

  /// The draft is whole: from now on it is there under its name, also after a crash.
  package func commit(_ draft: String, as key: String) throws(Fault) {
    if rename(draft, path(key)) != 0 {
      // Another call has made the same meanwhile.
      guard errno == ENOTEMPTY || errno == EEXIST else { throw Fault("rename \(draft)", errno: errno) }
      discard(draft)
    }
    let directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw Fault("open \(root)", errno: errno) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw Fault("fsync \(root)", errno: errno) }
  }

  package func discard(_ draft: String) {
    let name = draft.split(separator: "/").last
    remove { $0[...] == name }
  }

  /// Removes what nobody uses. Trees younger than `age` are kept: whoever made one may not have said so yet.
  package func collect(keeping used: Set<String>, olderThan age: Duration) {
    remove { name in
      guard !name.hasSuffix(".part"), !used.contains(name) else { return false }
      var status = stat()
      return lstat(path(name), &status) == 0
        && time(nil) - KernelTime.seconds(status.st_mtim) >= Int(age.components.seconds)
    }
  }

  private func remove(_ isUnwanted: (String) -> Bool) {
    // What cannot be removed now is tried again at the next start.
    guard let top = try? TreeDirectory(path: root), let names = try? top.names() else { return }
    for name in names where isUnwanted(TreeDirectory.text(name)) { try? top.remove(name) }
  }
}
