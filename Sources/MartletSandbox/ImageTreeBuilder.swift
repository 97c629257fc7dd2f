// Builds the file system of an image: its layers, which strangers have made, applied one over the other into one tree.
// libarchive parses; what a name, a link or a mark may do is ours. Rules of the layers:
// https://github.com/opencontainers/image-spec/blob/main/layer.md
import CArchive
import CMartlet
import Glibc
import MartletCore

package struct ImageTreeBuilder: ~Copyable {
  /// Why an image was refused.
  package enum Flaw: Error, Equatable, Sendable {
    /// Not a tar archive, or a damaged one.
    case malformed(String)
    /// Unpacked it would be larger than allowed.
    case tooLarge
    /// A name that leads out of the tree, or is too deep or too long.
    case unsafeEntry(String)
    /// The host failed.
    case host(Fault)
  }

  package struct Limits: Sendable {
    /// Bytes of all files of all layers, also of those that later layers hide.
    package var size: ByteCount
    /// Entries of all layers: each costs an inode whatever its size.
    package var entries: Int
    /// Directories in one another: removing a tree holds a descriptor for each.
    package var depth: Int

    package init(size: ByteCount, entries: Int = 2_000_000, depth: Int = 128) {
      self.size = size
      self.entries = entries
      self.depth = depth
    }
  }

  private let root: TreeDirectory
  private let rootPath: String
  private let limits: Limits
  /// Bytes of files so far.
  package private(set) var size = 0
  private var entries = 0
  /// Hashes of the paths that the current layer has brought: its marks hide only what earlier layers have.
  private var own: Set<Int> = []
  /// The directory in which the last entry was put, because the next one usually is in the same.
  private var last: (path: [UInt8], directory: TreeDirectory)?

  /// - Parameter directory: must exist, be empty, and be writable by nobody else.
  package init(in directory: String, limits: Limits) throws(Flaw) {
    do throws(Fault) { root = try TreeDirectory(path: directory) } catch { throw .host(error) }
    rootPath =
      realpath(directory, nil).map { pointer in
        defer { free(pointer) }
        return String(cString: pointer)
      } ?? directory
    self.limits = limits
  }

  /// Applies one layer: a tar archive, plain or compressed by gzip or zstd. After a flaw the tree is of no use.
  /// - Parameter observe: gets every byte of the file, in order.
  package mutating func apply(_ layer: String, observe: @escaping (UnsafeRawBufferPointer) -> Void) throws(Flaw) {
    own.removeAll(keepingCapacity: true)
    last = nil
    let source = LayerSource(descriptor: open(layer, O_RDONLY | O_CLOEXEC), observe: observe)
    guard source.descriptor >= 0 else { throw .host(Fault("open \(layer)", errno: errno)) }
    guard let archive = archive_read_new() else { throw .host(Fault("archive_read_new")) }
    defer { archive_read_free(archive) }
    archive_read_support_format_tar(archive)
    archive_read_support_format_empty(archive)
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_zstd(archive)
    try withExtendedLifetime(source) { () throws(Flaw) in
      let opened = archive_read_open(
        archive, Unmanaged.passUnretained(source).toOpaque(), nil,
        { _, data, block in data.map { LayerSource.read($0, block) } ?? -1 }, nil)
      guard opened == ARCHIVE_OK else { throw ImageTreeBuilder.malformed(archive) }
      var entry: OpaquePointer?
      reading: while true {
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_OK, ARCHIVE_WARN:
          guard let entry else { throw .malformed("no entry") }
          entries += 1
          guard entries <= limits.entries else { throw .tooLarge }
          try put(entry, archive)
        case ARCHIVE_EOF: break reading
        default: throw ImageTreeBuilder.malformed(archive)
        }
      }
      source.drain()
      if let fault = source.fault { throw .host(fault) }
    }
  }

  /// Ends the building: makes files that every tree shall have, whatever stood there, and puts everything on disk.
  /// - Parameter files: by their absolute paths.
  package consuming func finish(files: [(path: String, content: String)]) throws(Flaw) {
    last = nil
    for file in files {
      let parts = file.path.utf8.split(separator: 47).map { Array($0) }
      guard let name = parts.last else { continue }
      let parent = try directory(Array(parts.dropLast()))
      try removeAll(at: name, in: parent)
      let descriptor = openat(
        parent.descriptor, ImageTreeBuilder.c(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw .host(Fault("make \(file.path)", errno: errno)) }
      defer { close(descriptor) }
      let count = file.content.withCString { Glibc.write(descriptor, $0, strlen($0)) }
      guard count == file.content.utf8.count else { throw .host(Fault("write \(file.path)", errno: errno)) }
    }
    let synced = cm_sync(root.descriptor)
    guard synced == 0 else { throw .host(Fault("write the tree to disk", errno: -synced)) }
  }

  private static func malformed(_ archive: OpaquePointer) -> Flaw {
    .malformed(archive_error_string(archive).map { String(cString: $0) } ?? "not a tar archive")
  }

  // MARK: - Entries

  private mutating func put(_ entry: OpaquePointer, _ archive: OpaquePointer) throws(Flaw) {
    guard let raw = archive_entry_pathname(entry) else { throw .malformed("an entry has no readable name") }
    let parts = try ImageTreeBuilder.parts(raw)
    guard let name = parts.last else { return }
    let above = Array(parts.dropLast())
    if name.starts(with: ImageTreeBuilder.mark) { return try hide(name, above) }
    let kind = archive_entry_filetype(entry)
    let parent = try directory(above)
    own.insert(ImageTreeBuilder.hash(parts))
    if let target = archive_entry_hardlink(entry) {
      try link(to: target, name, parent, parts)
    } else if kind == 0o040000 {
      try makeDirectory(name, parent, mode: archive_entry_perm(entry))
    } else if kind == 0o100000 || kind == 0 {
      try removeAll(at: name, in: parent)
      try write(entry, archive, name, parent, parts)
    } else if kind == 0o120000 {
      guard let target = archive_entry_symlink(entry) else { throw .malformed("a link has no readable target") }
      try removeAll(at: name, in: parent)
      guard symlinkat(target, parent.descriptor, ImageTreeBuilder.c(name)) == 0 else {
        throw ImageTreeBuilder.flaw(parts)
      }
    }
    // Devices, pipes and sockets are left out: in the sandbox none of them could be opened.
  }

  private mutating func makeDirectory(_ name: [UInt8], _ parent: TreeDirectory, mode: mode_t) throws(Flaw) {
    let name = ImageTreeBuilder.c(name)
    if let there = parent.look(at: name), there.st_mode & 0o170000 != 0o040000 {
      do throws(Fault) { try parent.remove(name) } catch { throw .host(error) }
    }
    guard mkdirat(parent.descriptor, name, 0o755) == 0 || errno == EEXIST else {
      throw ImageTreeBuilder.flaw([name.dropLast().map { UInt8(bitPattern: $0) }])
    }
    // Whoever unpacks is the owner and has to come in; what others may do decides in the sandbox.
    fchmodat(parent.descriptor, name, mode & 0o1777 | 0o700, 0)
  }

  private mutating func write(
    _ entry: OpaquePointer, _ archive: OpaquePointer, _ name: [UInt8], _ parent: TreeDirectory, _ parts: [[UInt8]]
  ) throws(Flaw) {
    let declared = max(0, Int(archive_entry_size(entry)))
    guard declared <= limits.size.bytes - size else { throw .tooLarge }
    size += declared
    let descriptor = openat(
      parent.descriptor, ImageTreeBuilder.c(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ImageTreeBuilder.flaw(parts) }
    defer { close(descriptor) }
    var block: UnsafeRawPointer?
    var count = 0
    var offset: Int64 = 0
    reading: while true {
      switch archive_read_data_block(archive, &block, &count, &offset) {
      case ARCHIVE_OK, ARCHIVE_WARN: break
      case ARCHIVE_EOF: break reading
      default: throw ImageTreeBuilder.malformed(archive)
      }
      guard offset >= 0, Int(offset) + count <= declared else { throw .malformed("a file is longer than it says") }
      var done = 0
      while done < count {
        let written = pwrite(descriptor, block.map { $0 + done }, count - done, off_t(offset) + off_t(done))
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { throw .host(Fault("unpack \(ImageTreeBuilder.text(parts))", errno: errno)) }
        done += written
      }
    }
    // A hole at the end.
    guard ftruncate(descriptor, off_t(declared)) == 0 else { throw ImageTreeBuilder.flaw(parts) }
    fchmod(descriptor, archive_entry_perm(entry) & 0o777 | 0o400)
    // Python compares these times with those in its compiled files.
    let time = [archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)]
    _ = (time + time).withUnsafeBytes { futimens(descriptor, $0.bindMemory(to: timespec.self).baseAddress) }
  }

  private mutating func link(
    to target: UnsafePointer<CChar>, _ name: [UInt8], _ parent: TreeDirectory, _ parts: [[UInt8]]
  ) throws(Flaw) {
    let targetParts = try ImageTreeBuilder.parts(target)
    guard let targetName = targetParts.last else { throw .unsafeEntry(ImageTreeBuilder.text(parts)) }
    guard targetParts != parts else { return }
    let above = openDirectory(Array(targetParts.dropLast()))
    guard above >= 0 else { throw .malformed("\(ImageTreeBuilder.text(parts)) is a link to a file that is not there") }
    let directory = TreeDirectory(adopting: above)
    try removeAll(at: name, in: parent)
    // Of a symbolic link this makes a second link, and does not follow it.
    guard
      linkat(directory.descriptor, ImageTreeBuilder.c(targetName), parent.descriptor, ImageTreeBuilder.c(name), 0) == 0
    else {
      if errno == ENOENT || errno == EPERM {
        throw .malformed("\(ImageTreeBuilder.text(parts)) is a link to a file that is not there")
      }
      throw ImageTreeBuilder.flaw(parts)
    }
  }

  private mutating func removeAll(at name: [UInt8], in parent: TreeDirectory) throws(Flaw) {
    let name = ImageTreeBuilder.c(name)
    if let there = parent.look(at: name), there.st_mode & 0o170000 == 0o040000 { last = nil }
    do throws(Fault) { try parent.remove(name) } catch { throw .host(error) }
  }

  // MARK: - Marks that hide what earlier layers have

  private static let mark = Array(".wh.".utf8)
  private static let opaque = Array(".wh..wh..opq".utf8)

  private mutating func hide(_ name: [UInt8], _ above: [[UInt8]]) throws(Flaw) {
    let isOpaque = name == ImageTreeBuilder.opaque
    // Other names of this kind are a union file system's own.
    if !isOpaque, name.starts(with: ImageTreeBuilder.mark + ImageTreeBuilder.mark) { return }
    let hidden = Array(name.dropFirst(ImageTreeBuilder.mark.count))
    guard isOpaque || (!hidden.isEmpty && hidden != [46] && hidden != [46, 46]) else {
      throw .unsafeEntry(ImageTreeBuilder.text(above + [name]))
    }
    let found = openDirectory(above)
    guard found >= 0 else { return }
    let directory = TreeDirectory(adopting: found)
    last = nil
    do throws(Fault) {
      if isOpaque {
        for inner in try directory.names() { try removeEarlier(inner, in: directory, above) }
      } else {
        try removeEarlier(ImageTreeBuilder.c(hidden), in: directory, above)
      }
    } catch {
      throw .host(error)
    }
  }

  /// Removes what stands at a name unless this layer has brought it.
  private func removeEarlier(_ name: [CChar], in directory: TreeDirectory, _ above: [[UInt8]]) throws(Fault) {
    let path = above + [name.dropLast().map { UInt8(bitPattern: $0) }]
    guard own.contains(ImageTreeBuilder.hash(path)) else { return try directory.remove(name) }
    guard let child = directory.directory(name) else { return }
    for inner in try child.names() { try removeEarlier(inner, in: child, path) }
  }

  // MARK: - Directories

  /// Opens the directory of these names, making what is missing. Links on the way lead to where they would in the
  /// image: an entry below a link to a directory is put into that directory.
  private mutating func directory(_ parts: [[UInt8]]) throws(Flaw) -> TreeDirectory {
    let path = ImageTreeBuilder.join(parts)
    if let last, last.path == path { return last.directory }
    // What is put below them makes them this layer's own, although they may be there already.
    for count in 0..<parts.count { own.insert(ImageTreeBuilder.hash(Array(parts.prefix(count + 1)))) }
    var found = openDirectory(parts)
    if found == -ENOENT {
      var parent = root
      for count in 1...parts.count {
        found = openDirectory(Array(parts.prefix(count)))
        if found == -ENOENT {
          guard mkdirat(parent.descriptor, ImageTreeBuilder.c(parts[count - 1]), 0o755) == 0 else {
            throw ImageTreeBuilder.flaw(parts)
          }
          found = openDirectory(Array(parts.prefix(count)))
        }
        guard found >= 0 else { throw .unsafeEntry(ImageTreeBuilder.text(parts)) }
        parent = TreeDirectory(adopting: found)
      }
      try checkDepth(parent, parts)
      last = (path, parent)
      return parent
    }
    guard found >= 0 else { throw .unsafeEntry(ImageTreeBuilder.text(parts)) }
    let directory = TreeDirectory(adopting: found)
    try checkDepth(directory, parts)
    last = (path, directory)
    return directory
  }

  /// A descriptor that can be read from, or -errno.
  private func openDirectory(_ parts: [[UInt8]]) -> CInt {
    let path = parts.isEmpty ? [46] : ImageTreeBuilder.join(parts)
    return root.openInside(ImageTreeBuilder.c(path), O_RDONLY | O_DIRECTORY)
  }

  /// Links allow to go deeper than a name is long.
  private func checkDepth(_ directory: TreeDirectory, _ parts: [[UInt8]]) throws(Flaw) {
    var real = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/fd/\(directory.descriptor)", &real, real.count)
    let levels = real.prefix(max(0, length)).count { $0 == 47 } - rootPath.utf8.count { $0 == 47 }
    guard length > 0, length < real.count, levels < limits.depth else {
      throw .unsafeEntry(ImageTreeBuilder.text(parts))
    }
  }

  // MARK: - Names

  /// The components of a name in an archive. A leading "/" means nothing; ".." is refused.
  private static func parts(_ path: UnsafePointer<CChar>) throws(Flaw) -> [[UInt8]] {
    let bytes = UnsafeRawBufferPointer(start: path, count: strlen(path))
    let parts = bytes.split(separator: 47).map { Array($0) }.filter { $0 != [46] }
    guard bytes.count < 4000, !parts.contains([46, 46]), parts.allSatisfy({ $0.count < 256 }) else {
      throw .unsafeEntry(String(decoding: bytes.prefix(200), as: UTF8.self))
    }
    return parts
  }

  private static func join(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: [47])) }

  private static func hash(_ parts: [[UInt8]]) -> Int { join(parts).hashValue }

  private static func c(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

  private static func text(_ parts: [[UInt8]]) -> String { String(decoding: join(parts).prefix(200), as: UTF8.self) }

  /// A name that collides with another entry is the image's fault; a full disk is the host's.
  private static func flaw(_ parts: [[UInt8]]) -> Flaw {
    switch errno {
    case ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EINVAL, EILSEQ, EEXIST, ENOENT, EMLINK: .unsafeEntry(text(parts))
    default: .host(Fault("unpack \(text(parts))", errno: errno))
    }
  }
}

/// Gives a file to libarchive, and shows it to whoever watches.
private final class LayerSource {
  let descriptor: CInt
  private let observe: (UnsafeRawBufferPointer) -> Void
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private(set) var fault: Fault?

  init(descriptor: CInt, observe: @escaping (UnsafeRawBufferPointer) -> Void) {
    self.descriptor = descriptor
    self.observe = observe
  }

  deinit {
    buffer.deallocate()
    if descriptor >= 0 { close(descriptor) }
  }

  /// Bytes that lie in the buffer now; 0 at the end, -1 after a fault.
  private func next() -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { fault = Fault("read a layer", errno: errno) }
      if count > 0 { observe(UnsafeRawBufferPointer(rebasing: buffer[0..<count])) }
      return count
    }
  }

  /// Reads what follows the end of the archive.
  func drain() { while next() > 0 {} }

  /// What libarchive calls.
  static func read(_ data: UnsafeMutableRawPointer, _ block: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    let source = Unmanaged<LayerSource>.fromOpaque(data).takeUnretainedValue()
    block?.pointee = UnsafeRawPointer(source.buffer.baseAddress)
    return source.next()
  }
}
