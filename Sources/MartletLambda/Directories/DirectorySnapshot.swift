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
  let entries: [Entry]
  /// By the same clock as the stamps.
  private let taken: Int64

  static func == (a: DirectorySnapshot, b: DirectorySnapshot) -> Bool { a.entries == b.entries }

  /// More entries than any package has; a directory like `/` is a mistake.
  private static let most = 100_000

  /// Left out: what version control, interpreters and editors leave beside the code, and what is no file.
  private static let ignored: Set<String> = [".git", ".hg", ".svn", "__pycache__"]

  /// - Parameter taken: now, by the clock of the host's files, whatever time the world tells.
  /// - Throws: a `Fault` if the directory or one below it cannot be read.
  init(
    directory descriptor: CInt, path: String, taken: Int64 = KernelTime.now(CLOCK_REALTIME)
  ) throws(Fault) {
    self.taken = taken
    var entries: [Entry] = []
    try DirectorySnapshot.walk(descriptor, path, prefix: "", into: &entries)
    self.entries = entries
  }

  /// True if the entry can have been changed since without a trace: stamps are as coarse as the kernel's tick.
  func isFresh(_ entry: Entry) -> Bool {
    guard let stamp = entry.stamp else { return false }
    return max(stamp.modified, stamp.changed) > taken - 100_000_000
  }

  /// True if a later snapshot that is equal means that nothing has changed.
  var isSettled: Bool { !entries.contains { isFresh($0) } }

  var size: Int { entries.reduce(0) { $0 + ($1.stamp?.size ?? 0) } }

  private static func walk(
    _ descriptor: CInt, _ path: String, prefix: String, into entries: inout [Entry]
  ) throws(Fault) {
    for name in try names(in: descriptor, path).sorted() where !isIgnored(name) {
      guard entries.count < most else { throw Fault("look at \(path)", "there are more than \(most) files in it") }
      var status = stat()
      // What has gone since the names were read is not there.
      guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      let (here, whole) = (prefix + name, "\(path)/\(name)")
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        let below = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if below < 0, errno == ENOENT || errno == ENOTDIR || errno == ELOOP { continue }
        guard below >= 0 else { throw Fault("open \(whole)", errno: errno) }
        defer { close(below) }
        entries.append(Entry(path: here, kind: .directory, stamp: nil))
        try walk(below, whole, prefix: here + "/", into: &entries)
      case S_IFREG:
        entries.append(Entry(path: here, kind: .file(isExecutable: status.st_mode & 0o111 != 0), stamp: stamp(status)))
      case S_IFLNK:
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlinkat(descriptor, name, &target, target.count - 1)
        guard length > 0 else { continue }
        let text = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        entries.append(Entry(path: here, kind: .link(text), stamp: stamp(status)))
      default: continue
      }
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
