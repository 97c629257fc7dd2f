// Unpacked code, one directory per package, named by the package's digest: unpacked once, mounted ever after.
import CArchive  // whose headers bring the compiler its `stat`
import Glibc
import MartletCore

package struct CodeTrees: Sendable {
  package let root: String

  /// `root` must exist. Half-unpacked trees of a crash are removed.
  package init(root: String) {
    self.root = root
    for name in CodeTrees.names(in: root) where name.hasSuffix(".part") { CodeTrees.remove("\(root)/\(name)") }
  }

  package func path(_ key: String) -> String { "\(root)/\(key)" }

  /// Unpacks an archive unless that was done before. After a flaw nothing is left behind.
  /// - Parameter key: the archive's digest.
  /// - Returns: the size of the unpacked files.
  package func unpack(
    _ archive: UnsafeRawBufferPointer, key: String, limit: ByteCount
  ) throws(CodeArchive.Flaw) -> ByteCount {
    if let size = renew(key) { return size }
    let partial = "\(root)/\(key).\(UInt64.random(in: 0...UInt64.max)).part"
    guard mkdir(partial, 0o755) == 0 else { throw .host(Fault("make \(partial)", errno: errno)) }
    do throws(CodeArchive.Flaw) {
      let size = try CodeArchive.extract(archive, into: partial, limit: limit)
      if rename(partial, path(key)) != 0 {
        // Another call unpacked the same package meanwhile.
        guard errno == ENOTEMPTY || errno == EEXIST else { throw .host(Fault("rename \(partial)", errno: errno)) }
        utimes(path(key), nil)
        CodeTrees.remove(partial)
      }
      _ = symlink("\(size.bytes)", sizeNote(key))
      return size
    } catch {
      CodeTrees.remove(partial)
      throw error
    }
  }

  /// A tree that is wanted again is young again (`collect`).
  /// - Returns: the size of its files; nil if it must be unpacked.
  private func renew(_ key: String) -> ByteCount? {
    guard utimes(path(key), nil) == 0, lutimes(sizeNote(key), nil) == 0 else { return nil }
    var digits = [UInt8](repeating: 0, count: 32)
    let count = digits.withUnsafeMutableBytes { readlink(sizeNote(key), $0.baseAddress!, $0.count) }
    return Int(String(decoding: digits.prefix(max(0, count)), as: UTF8.self)).map { .bytes($0) }
  }

  /// Where the size of a tree's files is noted: a symbolic link to the number, because it is made in one step.
  private func sizeNote(_ key: String) -> String { path(key) + "+size" }

  /// Removes what nobody uses. Trees younger than `age` are kept: whoever unpacked one may not have said so yet.
  package func collect(keeping used: Set<String>, olderThan age: Duration) {
    for name in CodeTrees.names(in: root) where !used.contains(CodeTrees.origin(of: name)) {
      var status = stat()
      guard lstat(path(name), &status) == 0,
        time(nil) - KernelTime.seconds(status.st_mtim) >= Int(age.components.seconds)
      else {
        continue
      }
      // A tree is there as a whole or not at all, even if this is cut short.
      let partial = "\(path(name)).\(UInt64.random(in: 0...UInt64.max)).part"
      if rename(path(name), partial) == 0 { CodeTrees.remove(partial) }
    }
  }

  /// The tree of which another one was made: what stands before a plus sign. It is used as long as that one is.
  private static func origin(of name: String) -> String { String(name.prefix { $0 != "+" }) }

  /// Removes a tree without following links.
  package static func remove(_ path: String) {
    guard unlink(path) != 0 else { return }
    for name in names(in: path) { remove(path + "/" + name) }
    rmdir(path)
  }

  private static func names(in path: String) -> [String] {
    do throws(Fault) { return try entries(of: path) } catch { return [] }
  }

  /// What is in a directory, without `.` and `..`.
  package static func entries(of path: String) throws(Fault) -> [String] {
    guard let directory = opendir(path) else { throw Fault("open \(path)", errno: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
