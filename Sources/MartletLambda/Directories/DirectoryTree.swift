// A directory of the host as a tree beside the packages' trees. Unchanged files are further names of the files of the
// tree before, so an edit costs what the edited files cost (docs/decisions/006-watched-directories-are-imported.md).
import Glibc
import MartletCore
import MartletSandbox
import MartletWire

struct DirectoryTree: Sendable {
  let snapshot: DirectorySnapshot
  /// Digests of the files, by path.
  private let digests: [String: [UInt8]]
  let package: CodePackage

  /// Brings `directory` into `trees`.
  /// - Parameter before: what was brought in last; its tree is used if it is still there.
  /// - Throws: a `Fault` that names the file; then nothing is left behind.
  init(
    of snapshot: DirectorySnapshot, directory: CInt, path: String, before: DirectoryTree?, in trees: CodeTrees
  ) throws(Fault) {
    let partial = "\(trees.root)/directory.\(UInt64.random(in: 0...UInt64.max)).part"
    guard mkdir(partial, 0o755) == 0 else { throw Fault("make \(partial)", errno: errno) }
    do throws(Fault) {
      let digests = try DirectoryTree.fill(partial, snapshot, (directory, path), before, trees)
      let digest = DirectoryTree.digest(of: snapshot, digests)
      let key = Digest.hex(digest)
      if rename(partial, trees.path(key)) != 0 {
        guard errno == ENOTEMPTY || errno == EEXIST else { throw Fault("rename \(partial)", errno: errno) }
        utimes(trees.path(key), nil)
        CodeTrees.remove(partial)
      }
      self.snapshot = snapshot
      self.digests = digests
      package = CodePackage(
        key: key, sha256: Base64.encode(digest), size: snapshot.size, unpackedSize: snapshot.size)
    } catch {
      CodeTrees.remove(partial)
      throw error
    }
  }

  private static func fill(
    _ partial: String, _ snapshot: DirectorySnapshot, _ source: (descriptor: CInt, path: String),
    _ before: DirectoryTree?, _ trees: CodeTrees
  ) throws(Fault) -> [String: [UInt8]] {
    // Of what was brought in before, only what cannot have changed since it was looked at.
    var known: [String: DirectorySnapshot.Entry] = [:]
    if let before {
      for entry in before.snapshot.entries where !before.snapshot.isFresh(entry) { known[entry.path] = entry }
    }
    var digests: [String: [UInt8]] = [:]
    for entry in snapshot.entries {
      let target = "\(partial)/\(entry.path)"
      switch entry.kind {
      case .directory:
        guard mkdir(target, 0o755) == 0 else { throw Fault("make \(target)", errno: errno) }
      case .link(let destination):
        guard staysInside(destination, from: entry.path) else {
          throw Fault("\(source.path)/\(entry.path)", "the link to \(destination) leads out of the directory")
        }
        guard symlink(destination, target) == 0 else { throw Fault("link \(target)", errno: errno) }
      case .file(let isExecutable):
        if let before, known[entry.path] == entry, let digest = before.digests[entry.path],
          link("\(trees.path(before.package.key))/\(entry.path)", target) == 0
        {
          digests[entry.path] = digest
        } else {
          digests[entry.path] = try copy(entry.path, of: source, to: target, mode: isExecutable ? 0o755 : 0o644)
        }
      }
    }
    return digests
  }

  /// True if a link at `path` leads to something within the tree.
  static func staysInside(_ destination: String, from path: String) -> Bool {
    guard !destination.hasPrefix("/") else { return false }
    var depth = path.split(separator: "/").count - 1
    for part in destination.split(separator: "/") where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { return false }
    }
    return true
  }

  private static func copy(
    _ path: String, of source: (descriptor: CInt, path: String), to target: String, mode: mode_t
  ) throws(Fault) -> [UInt8] {
    let file = try open(path, beneath: source)
    let out = Glibc.open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard out >= 0 else { throw Fault("create \(target)", errno: errno) }
    defer { close(out) }
    fchmod(out, mode)
    var position = 0
    try file.forEachPiece { (piece) throws(Fault) in
      var rest = piece
      while !rest.isEmpty {
        let count = write(out, rest.baseAddress, rest.count)
        guard count > 0 else { throw Fault("write \(target)", errno: errno) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      position += piece.count
    }
    return file.withBytes { Digest.sha256($0) }
  }

  /// Opens a file of the directory, following no link: links may have been put there since it was looked at.
  private static func open(_ path: String, beneath source: (descriptor: CInt, path: String)) throws(Fault) -> OpenFile {
    var at = source.descriptor
    defer { if at != source.descriptor { close(at) } }
    let parts = path.split(separator: "/").map(String.init)
    for part in parts.dropLast() {
      let next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard next >= 0 else { throw Fault("open \(source.path)/\(path)", errno: errno) }
      if at != source.descriptor { close(at) }
      at = next
    }
    // Not to wait for a pipe that has taken the file's place.
    let file = openat(at, parts.last ?? "", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    var status = stat()
    guard file >= 0, fstat(file, &status) == 0 else {
      let code = errno
      if file >= 0 { close(file) }
      throw Fault("open \(source.path)/\(path)", errno: code)
    }
    let opened = OpenFile(adopting: file, size: Int(status.st_size))
    guard status.st_mode & S_IFMT == S_IFREG else { throw Fault("open \(source.path)/\(path)", "it is no file") }
    return opened
  }

  /// Names the content of the whole tree, however old it is.
  private static func digest(of snapshot: DirectorySnapshot, _ digests: [String: [UInt8]]) -> [UInt8] {
    var text = "directory\n"
    for entry in snapshot.entries {
      switch entry.kind {
      case .directory: text += "d \(entry.path)\n"
      case .link(let target): text += "l \(entry.path)\0\(target)\n"
      case .file(let isExecutable):
        text += "\(isExecutable ? "x" : "f") \(entry.path)\0\(Digest.hex(digests[entry.path] ?? []))\n"
      }
    }
    return Array(text.utf8).withUnsafeBytes { Digest.sha256($0) }
  }
}
