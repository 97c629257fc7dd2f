// The files of a pack: what is in a tree, in a fixed order, and one checksum over all of it.
import Glibc
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire

package struct PackTree: Sendable {
  package enum Kind: Sendable, Equatable {
    case directory
    case file(isExecutable: Bool)
    case link(to: String)
  }

  package struct Entry: Sendable {
    /// Below the tree.
    package let name: String
    /// On this host.
    package let path: String
    package let kind: Kind
  }

  package let entries: [Entry]

  /// Walks through a directory. Links that lead out of it are replaced by what they lead to: Debian keeps parts of some
  /// interpreters elsewhere.
  /// - Throws: a `Fault` that names what cannot be read.
  package init(_ root: String) throws(Fault) {
    var entries: [Entry] = []
    try PackTree.walk(root, name: "", root: root, depth: 0, into: &entries)
    self.entries = entries
  }

  private static func walk(
    _ path: String, name: String, root: String, depth: Int, into entries: inout [Entry]
  ) throws(Fault) {
    guard depth < 64, entries.count < 200_000 else { throw Fault(root, "it is too large for a pack") }
    for child in Files.names(in: path).sorted() {
      let childName = name.isEmpty ? child : "\(name)/\(child)"
      let childPath = "\(path)/\(child)"
      var status = stat()
      guard lstat(childPath, &status) == 0 else { throw Fault("look at \(childPath)", errno: errno) }
      if status.st_mode & S_IFMT == S_IFLNK {
        let target = try PackTree.target(childPath)
        if stays(target, below: name) {
          entries.append(Entry(name: childName, path: childPath, kind: .link(to: target)))
          continue
        }
        // A link to nowhere is of no use to anybody.
        guard stat(childPath, &status) == 0 else { continue }
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        entries.append(Entry(name: childName, path: childPath, kind: .directory))
        try walk(childPath, name: childName, root: root, depth: depth + 1, into: &entries)
      case S_IFREG:
        let isExecutable = status.st_mode & 0o111 != 0
        entries.append(Entry(name: childName, path: childPath, kind: .file(isExecutable: isExecutable)))
      default: throw Fault(childPath, "it is neither a file nor a directory")
      }
    }
  }

  private static func target(_ path: String) throws(Fault) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(path, &buffer, Int(PATH_MAX))
    guard count > 0 else { throw Fault("read the link \(path)", errno: errno) }
    return String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// True if a link in the directory `name` leads to something within the tree.
  private static func stays(_ target: String, below name: String) -> Bool {
    guard !target.hasPrefix("/") else { return false }
    var level = name.split(separator: "/").count
    for part in target.split(separator: "/") where part != "." {
      level += part == ".." ? -1 : 1
      if level < 0 { return false }
    }
    return true
  }

  /// SHA-256 over the names, kinds and contents of all entries, hexadecimal.
  package func digest() throws(Fault) -> String {
    var lines = ""
    for entry in entries {
      switch entry.kind {
      case .directory: lines += "d \(entry.name)\n"
      case .link(let target): lines += "l \(entry.name) \(target)\n"
      case .file(let isExecutable):
        let content = try Files.read(entry.path)
        let hash = content.withUnsafeBytes { Digest.hex(Digest.sha256($0)) }
        lines += "\(isExecutable ? "x" : "f") \(entry.name) \(hash)\n"
      }
    }
    return Digest.hex(Digest.sha256(lines))
  }
}
