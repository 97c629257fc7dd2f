// What lies in a directory of the host and when each of it was changed last. Cheap: no file is read.
import Glibc
import MartletCore

struct DirectorySnapshot: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case directory
    case file(isExecutable: Bool)
    /// The target, as it stands in the link.
    case link(String)
  }

  /// What the kernel changes whenever a file is changed.
  struct Stamp: Sendable, Equatable {
    let device: UInt64
    let inode: UInt64
    let size: Int
    /// Nanoseconds since 1970, by the kernel's clock.
    let modified: Int64
    let changed: Int64
  }

  struct Entry: Sendable, Equatable {
    /// Below the directory.
    let path: String
    let kind: Kind
    /// A directory has none: what changes in it shows by its entries.
    let stamp: Stamp?
  }

  /// Directories before what is in them; of one directory by name.
  private(set) var entries: [Entry] = []
  /// How many entries are below each.
  private var extents: [Int] = []
  /// The directories themselves, by path: whose stamp is the same has the same names in it.
  private var directories: [String: Stamp] = [:]
  /// By the same clock as the stamps.
  private let taken: Int64

  static func == (a: DirectorySnapshot, b: DirectorySnapshot) -> Bool { a.entries == b.entries }

  /// More entries than any package has; a directory like `/` is a mistake.
  private static let most = 100_000

  /// Left out: what version control, interpreters and editors leave beside the code, and what is no file.
  private static let ignored: Set<String> = [".git", ".hg", ".svn", "__pycache__"]

  /// - Parameters:
  ///   - before: what was there before: names are read again only where they can have changed.
  ///   - taken: now, by the clock of the host's files, whatever time the world tells.
  /// - Throws: a `Fault` if the directory or one below it cannot be read.
  init(
    directory descriptor: CInt, path: String, after before: DirectorySnapshot? = nil,
    taken: Int64 = KernelTime.now(CLOCK_REALTIME)
  ) throws(Fault) {
    self.taken = taken
    if let before { entries.reserveCapacity(before.entries.count + 16) }
    let all = before.map { ($0, 0..<$0.entries.count) }
    try walk((descriptor, path), descriptor, prefix: "", known: all)
  }

  /// True if the entry can have been changed since without a trace: stamps are as coarse as the kernel's tick.
  func isFresh(_ entry: Entry) -> Bool {
    entry.stamp.map { isFresh($0) } ?? false
  }

  private func isFresh(_ stamp: Stamp) -> Bool { max(stamp.modified, stamp.changed) > taken - 100_000_000 }

  /// True if a later snapshot that is equal means that nothing has changed.
  var isSettled: Bool { !entries.contains { isFresh($0) } && !directories.values.contains { isFresh($0) } }

  var size: Int { entries.reduce(0) { $0 + ($1.stamp?.size ?? 0) } }

  /// A snapshot before, and which of its entries are below the directory that is looked at.
  private typealias Known = (snapshot: DirectorySnapshot, range: Range<Int>)

  private mutating func walk(
    _ root: (descriptor: CInt, path: String), _ descriptor: CInt, prefix: String, known: Known?
  ) throws(Fault) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Fault("look at \(root.path)/\(prefix)", errno: errno) }
    let (own, path) = (DirectorySnapshot.stamp(status), String(prefix.dropLast()))
    directories[path] = own
    if let known, known.snapshot.directories[path] == own, !known.snapshot.isFresh(own) {
      return try repeatWalk(root, known)
    }
    var below: [String: Range<Int>] = [:]
    known?.snapshot.forEachChild(in: known?.range ?? 0..<0) { index, extent in
      guard let entry = known?.snapshot.entries[index], entry.kind == .directory else { return }
      below[entry.path] = (index + 1)..<(index + 1 + extent)
    }
    for name in try DirectorySnapshot.names(in: descriptor, "\(root.path)/\(prefix)").sorted()
    where !DirectorySnapshot.isIgnored(name) {
      let here = prefix + name
      try add(here, root, known.flatMap { known in below[here].map { (known.snapshot, $0) } })
    }
  }

  /// The names are what they were: each is looked at.
  private mutating func repeatWalk(_ root: (descriptor: CInt, path: String), _ known: Known) throws(Fault) {
    var index = known.range.lowerBound
    while index < known.range.upperBound {
      let (entry, extent) = (known.snapshot.entries[index], known.snapshot.extents[index])
      try add(entry.path, root, (known.snapshot, (index + 1)..<(index + 1 + extent)), was: entry)
      index += 1 + extent
    }
  }

  /// - Parameters:
  ///   - known: what was below it.
  ///   - entry: what it was, if it was there.
  private mutating func add(
    _ here: String, _ root: (descriptor: CInt, path: String), _ known: Known?, was entry: Entry? = nil
  ) throws(Fault) {
    guard entries.count < DirectorySnapshot.most else {
      throw Fault("look at \(root.path)", "there are more than \(DirectorySnapshot.most) files in it")
    }
    var status = stat()
    // What has gone since the names were read is not there.
    guard fstatat(root.descriptor, here, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFDIR:
      let below = openat(root.descriptor, here, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      if below < 0, errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return }
      guard below >= 0 else { throw Fault("open \(root.path)/\(here)", errno: errno) }
      defer { close(below) }
      let index = entries.count
      entries.append(Entry(path: here, kind: .directory, stamp: nil))
      extents.append(0)
      try walk(root, below, prefix: here + "/", known: entry.map { $0.kind == .directory } == false ? nil : known)
      extents[index] = entries.count - index - 1
    case S_IFREG:
      let stamp = DirectorySnapshot.stamp(status)
      if let entry, entry.stamp == stamp, case .file = entry.kind {
        entries.append(entry)
      } else {
        let isExecutable = status.st_mode & 0o111 != 0
        entries.append(Entry(path: here, kind: .file(isExecutable: isExecutable), stamp: stamp))
      }
      extents.append(0)
    case S_IFLNK:
      var target = [CChar](repeating: 0, count: Int(PATH_MAX))
      let length = readlinkat(root.descriptor, here, &target, target.count - 1)
      guard length > 0 else { return }
      let text = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      entries.append(Entry(path: here, kind: .link(text), stamp: DirectorySnapshot.stamp(status)))
      extents.append(0)
    default: return
    }
  }

  private func forEachChild(in range: Range<Int>, _ body: (_ index: Int, _ extent: Int) -> Void) {
    var index = range.lowerBound
    while index < range.upperBound {
      body(index, extents[index])
      index += 1 + extents[index]
    }
  }

  private static func isIgnored(_ name: String) -> Bool {
    ignored.contains(name) || name.hasSuffix("~") || name.hasSuffix(".swp") || name.hasPrefix(".#")
  }

  private static func stamp(_ status: stat) -> Stamp {
    Stamp(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int(status.st_size),
      modified: KernelTime.nanoseconds(status.st_mtim), changed: KernelTime.nanoseconds(status.st_ctim))
  }

  private static func names(in descriptor: CInt, _ path: String) throws(Fault) -> [String] {
    // The stream has a position of its own, and closes its descriptor.
    let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0, let stream = fdopendir(own) else { throw Fault("open \(path)", errno: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
