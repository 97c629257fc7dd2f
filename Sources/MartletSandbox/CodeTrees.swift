// Unpacked code, one directory per package, named by the package's digest: unpacked once, mounted ever after.
import Glibc
import MartletCore

package struct CodeTrees: Sendable {
  package let root: String

  /// `root` must exist. Half-unpacked trees of a crash are removed.
  package init(root: String) {
    self.root = root
    guard let directory = opendir(root) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".part") { CodeTrees.remove("\(root)/\(name)") }
    }
    closedir(directory)
  }

  package func path(_ key: String) -> String { "\(root)/\(key)" }

  /// Unpacks an archive unless that was done before. After a flaw nothing is left behind.
  /// - Returns: the size of the unpacked files.
  package func unpack(
    _ archive: UnsafeRawBufferPointer, key: String, limit: ByteCount
  ) throws(CodeArchive.Flaw) -> ByteCount {
    let partial = "\(root)/\(key).\(UInt64.random(in: 0...UInt64.max)).part"
    guard mkdir(partial, 0o755) == 0 else { throw .host(Fault("make \(partial)", errno: errno)) }
    do throws(CodeArchive.Flaw) {
      let size = try CodeArchive.extract(archive, into: partial, limit: limit)
      if rename(partial, path(key)) != 0 {
        // Another call unpacked the same package meanwhile.
        guard errno == ENOTEMPTY || errno == EEXIST else { throw .host(Fault("rename \(partial)", errno: errno)) }
        CodeTrees.remove(partial)
      }
      return size
    } catch {
      CodeTrees.remove(partial)
      throw error
    }
  }

  package func remove(_ key: String) { CodeTrees.remove(path(key)) }

  /// Removes a tree without following links.
  private static func remove(_ path: String) {
    guard unlink(path) != 0, let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { remove(path + "/" + name) }
    }
    closedir(directory)
    rmdir(path)
  }
}
