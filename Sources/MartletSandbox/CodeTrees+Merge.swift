// Several trees as one, as if they were unpacked one over the other. Nothing is copied: files become further names
// of the same files (docs/decisions/005-layers-are-merged-with-hard-links.md).
import CArchive  // whose headers bring the compiler its `stat`
import Glibc
import MartletCore

extension CodeTrees {
  /// Makes the tree `key` of the trees `parts`, unless it is there. Of files with the same path the last part's is
  /// taken; a file hides a directory of earlier parts and the reverse; directories are merged. Links are names here and
  /// are never followed.
  /// - Throws: a `Fault`; then nothing is left behind.
  package func merge(_ parts: [String], as key: String) throws(Fault) {
    let whole = path(key)
    // What is wanted again is young again (`collect`).
    if utimes(whole, nil) == 0 { return }
    let partial = "\(root)/\(key).\(UInt32.random(in: 0...UInt32.max)).part"
    guard mkdir(partial, 0o755) == 0 else { throw Fault("make \(partial)", errno: errno) }
    do throws(Fault) {
      try CodeTrees.merge(parts.reversed().map { path($0) }, into: partial)
      if rename(partial, whole) != 0 {
        // Another call merged the same trees meanwhile.
        guard errno == ENOTEMPTY || errno == EEXIST else { throw Fault("rename \(partial)", errno: errno) }
        CodeTrees.remove(partial)
      }
    } catch {
      CodeTrees.remove(partial)
      throw error
    }
  }

  /// What stands at a name in the parts of a directory that were looked at so far.
  private enum Found {
    /// Directories of several parts, the first one having precedence.
    case directories([String])
    /// Directories above a file, which hides those below it.
    case closed([String])
    case file
  }

  /// - Parameter sources: directories, the one with precedence first.
  private static func merge(_ sources: [String], into destination: String) throws(Fault) {
    var found: [String: Found] = [:]
    for source in sources {
      for name in try entries(of: source) {
        let path = "\(source)/\(name)"
        var status = stat()
        guard lstat(path, &status) == 0 else { throw Fault("look at \(path)", errno: errno) }
        let isDirectory = status.st_mode & 0o170000 == 0o040000
        switch found[name] {
        case .file, .closed: continue
        case .directories(let above): found[name] = isDirectory ? .directories(above + [path]) : .closed(above)
        case nil where isDirectory: found[name] = .directories([path])
        case nil:
          // Of a symbolic link this makes a second link, and does not follow it.
          guard link(path, "\(destination)/\(name)") == 0 else { throw Fault("link \(path)", errno: errno) }
          found[name] = .file
        }
      }
    }
    for (name, kind) in found {
      switch kind {
      case .file: break
      case .directories(let parts), .closed(let parts):
        let directory = "\(destination)/\(name)"
        guard mkdir(directory, 0o755) == 0 else { throw Fault("make \(directory)", errno: errno) }
        try merge(parts, into: directory)
      }
    }
  }
}
