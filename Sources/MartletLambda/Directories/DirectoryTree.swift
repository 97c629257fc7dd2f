// A directory of the host as a tree beside the packages' trees. Unchanged files are further names of the files of the
// tree before, so an edit costs what the edited files cost (docs/decisions/006-watched-directories-are-imported.md).
import Glibc
import MartletCore
import MartletSandbox
import MartletWire

struct DirectoryTree: Sendable {
  let snapshot: DirectorySnapshot
  /// Digests of the files in hexadecimal, by path.
  private let digests: [String: String]
  let package: CodePackage
  /// False if there was a tree of the same content already.
  let isNew: Bool

  /// The directory, as it is opened and as it is called.
  private typealias Source = (descriptor: CInt, path: String)

  /// Brings `directory` into `trees`.
  /// - Parameters:
  ///   - before: what was brought in last; its tree is used if it is still there.
  ///   - spare: a copy of that tree, which becomes the new one: then an edit costs nothing for what it leaves alone. Is
  ///     asked for only if a tree has to be made.
  /// - Throws: a `Fault` that names the file; then nothing is left behind.
  init(
    of snapshot: DirectorySnapshot, directory: CInt, path: String, before: DirectoryTree?,
    spare: () -> String? = { nil }, in trees: CodeTrees
  ) throws(Fault) {
    let source = (descriptor: directory, path: path)
    var partial = ""
    do throws(Fault) {
      let delta = before.map { DirectoryDelta(from: $0.snapshot, to: snapshot) }
      var expected: DirectoryTree?
      if let before, let delta { expected = try DirectoryTree.read(snapshot, delta, source, before) }
      // It was saved without a change, or an edit was taken back, or what is there was changed so short a time ago that
      // it had to be looked at again.
      if let expected, utimes(trees.path(expected.package.key), nil) == 0 {
        self = expected
        return
      }
      var digests: [String: String]
      if let before, let delta, let spare = spare() {
        partial = spare
        digests = before.digests
        try DirectoryTree.apply(delta, to: partial, source, &digests)
      } else {
        partial = try DirectoryTree.makePlace(trees)
        digests = try DirectoryTree.fill(partial, snapshot, source, before, trees)
      }
      let made: CodePackage
      if let expected, let delta, expected.digests.count == digests.count, delta.says(expected.digests, digests) {
        made = expected.package
      } else {
        made = DirectoryTree.package(snapshot, DirectoryTree.digest(of: snapshot, digests))
      }
      let key = made.key
      isNew = rename(partial, trees.path(key)) == 0
      if isNew {
        // It may have been a spare for long.
        utimes(trees.path(key), nil)
      } else {
        guard errno == ENOTEMPTY || errno == EEXIST else { throw Fault("rename \(partial)", errno: errno) }
        utimes(trees.path(key), nil)
        CodeTrees.remove(partial)
      }
      self.snapshot = snapshot
      self.digests = digests
      package = made
    } catch {
      if !partial.isEmpty { CodeTrees.remove(partial) }
      throw error
    }
  }

  private init(_ snapshot: DirectorySnapshot, _ digests: [String: String], _ digest: [UInt8]) {
    self.snapshot = snapshot
    self.digests = digests
    isNew = false
    package = DirectoryTree.package(snapshot, digest)
  }

  private static func package(_ snapshot: DirectorySnapshot, _ digest: [UInt8]) -> CodePackage {
    let size = snapshot.size
    return CodePackage(key: Digest.hex(digest), sha256: Base64.encode(digest), size: size, unpackedSize: size)
  }

  private static func makePlace(_ trees: CodeTrees) throws(Fault) -> String {
    let partial = "\(trees.root)/directory.\(UInt64.random(in: 0...UInt64.max)).part"
    guard mkdir(partial, 0o755) == 0 else { throw Fault("make \(partial)", errno: errno) }
    return partial
  }

  /// What the directory would be as a tree, by its files as they are now; nil if that is too much to read twice.
  private static func read(
    _ snapshot: DirectorySnapshot, _ delta: DirectoryDelta, _ source: Source, _ before: DirectoryTree
  ) throws(Fault) -> DirectoryTree? {
    guard delta.changed.count <= 256 else { return nil }
    var digests = before.digests
    for entry in delta.gone { digests[entry.path] = nil }
    for entry in delta.changed {
      switch entry.kind {
      case .directory: continue
      case .link(let destination): try check(destination, entry.path, source)
      case .file:
        digests[entry.path] = Digest.hex(try open(entry.path, beneath: source).withBytes { Digest.sha256($0) })
      }
    }
    return DirectoryTree(snapshot, digests, digest(of: snapshot, digests))
  }

  /// Makes a copy of the tree of the directory as it was before into one of what it is now.
  private static func apply(
    _ delta: DirectoryDelta, to spare: String, _ source: Source, _ digests: inout [String: String]
  ) throws(Fault) {
    for entry in delta.gone.reversed() {
      digests[entry.path] = nil
      let path = "\(spare)/\(entry.path)"
      guard (entry.kind == .directory ? rmdir(path) : unlink(path)) == 0 else {
        throw Fault("remove \(path)", errno: errno)
      }
    }
    for entry in delta.changed {
      digests[entry.path] = try put(entry, in: spare, source)
    }
  }

  private static func fill(
    _ partial: String, _ snapshot: DirectorySnapshot, _ source: Source, _ before: DirectoryTree?, _ trees: CodeTrees
  ) throws(Fault) -> [String: String] {
    // Of what was brought in before, only what cannot have changed since it was looked at.
    var known: [String: DirectorySnapshot.Entry] = [:]
    if let before {
      for entry in before.snapshot.entries where !before.snapshot.isFresh(entry) { known[entry.path] = entry }
    }
    var digests: [String: String] = [:]
    for entry in snapshot.entries {
      if case .file = entry.kind, let before, known[entry.path] == entry, let digest = before.digests[entry.path],
        link("\(trees.path(before.package.key))/\(entry.path)", "\(partial)/\(entry.path)") == 0
      {
        digests[entry.path] = digest
      } else {
        digests[entry.path] = try put(entry, in: partial, source)
      }
    }
    return digests
  }

  /// Brings one entry into a tree. Returns the digest of a file in hexadecimal.
  private static func put(
    _ entry: DirectorySnapshot.Entry, in tree: String, _ source: Source
  ) throws(Fault) -> String? {
    let target = "\(tree)/\(entry.path)"
    switch entry.kind {
    case .directory:
      guard mkdir(target, 0o755) == 0 || errno == EEXIST else { throw Fault("make \(target)", errno: errno) }
      return nil
    case .link(let destination):
      try check(destination, entry.path, source)
      unlink(target)
      guard symlink(destination, target) == 0 else { throw Fault("link \(target)", errno: errno) }
      return nil
    case .file(let isExecutable):
      unlink(target)
      return Digest.hex(try copy(entry.path, of: source, to: target, mode: isExecutable ? 0o755 : 0o644))
    }
  }

  private static func check(_ destination: String, _ path: String, _ source: Source) throws(Fault) {
    guard staysInside(destination, from: path) else {
      throw Fault("\(source.path)/\(path)", "the link to \(destination) leads out of the directory")
    }
  }

  /// A copy of the tree, of further names of its files, in which the next edit can be made; nil if the tree has gone.
  func spare(in trees: CodeTrees) -> String? {
    guard let place = try? DirectoryTree.makePlace(trees) else { return nil }
    let tree = trees.path(package.key)
    for entry in snapshot.entries {
      let target = "\(place)/\(entry.path)"
      let made: CInt =
        switch entry.kind {
        case .directory: mkdir(target, 0o755)
        case .link(let destination): symlink(destination, target)
        case .file: link("\(tree)/\(entry.path)", target)
        }
      guard made == 0 else {
        CodeTrees.remove(place)
        return nil
      }
    }
    return place
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
    _ path: String, of source: Source, to target: String, mode: mode_t
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
  private static func open(_ path: String, beneath source: Source) throws(Fault) -> OpenFile {
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
  private static func digest(of snapshot: DirectorySnapshot, _ digests: [String: String]) -> [UInt8] {
    var text = "directory\n"
    text.reserveCapacity(snapshot.entries.count * 128)
    for entry in snapshot.entries {
      switch entry.kind {
      case .directory: text += "d \(entry.path)\n"
      case .link(let target): text += "l \(entry.path)\0\(target)\n"
      case .file(let isExecutable):
        text += isExecutable ? "x " : "f "
        text += entry.path
        text += "\0"
        text += digests[entry.path] ?? ""
        text += "\n"
      }
    }
    return Array(text.utf8).withUnsafeBytes { Digest.sha256($0) }
  }
}
