// Files that must survive a power cut: written beside their place, synchronised, then renamed.
import Glibc
import MartletCore

package enum Files {
  /// Makes a directory and its parents. An existing one is fine.
  package static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(Fault) {
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw Fault("make directory \(path)", errno: errno)
    }
    try makeDirectory(String(path[..<slash]), mode: mode)
    if mkdir(path, mode) != 0 && errno != EEXIST { throw Fault("make directory \(path)", errno: errno) }
  }

  /// Writes `bytes` to `path` so that after a crash the file is there whole or not at all.
  package static func writeDurably(_ bytes: UnsafeRawBufferPointer, to path: String, mode: mode_t = 0o600) throws(Fault)
  {
    let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw Fault("create \(temporary)", errno: errno) }
    do throws(Fault) {
      try writeAll(bytes, to: descriptor, path: temporary)
      guard fsync(descriptor) == 0 else { throw Fault("fsync \(temporary)", errno: errno) }
      guard rename(temporary, path) == 0 else { throw Fault("rename \(temporary)", errno: errno) }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    close(descriptor)
    try synchronizeDirectory(of: path)
  }

  /// Makes a rename or a new name in the directory of `path` durable.
  package static func synchronizeDirectory(of path: String) throws(Fault) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(directory)", errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Fault("fsync \(directory)", errno: errno) }
  }

  /// The whole content of a file.
  package static func read(_ path: String) throws(Fault) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(path)", errno: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Fault("read \(path)", errno: errno) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[0..<count])
    }
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// What is in a directory, without `.` and `..`; nothing if it cannot be read.
  package static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
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

  /// True if the file was not written or touched for `age`.
  package static func isOlder(_ path: String, than age: Duration) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && time(nil) - KernelTime.seconds(status.st_mtim) >= Int(age.components.seconds)
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt, path: String) throws(Fault) {
    var offset = 0
    while offset < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Fault("write \(path)", errno: errno) }
      offset += count
    }
  }
}
