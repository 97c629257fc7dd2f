// The bytes of objects: one file for each version, written once, never changed.
import Glibc
import MartletCore
import MartletStore
import MartletWire

struct S3Files: Sendable {
  private let root: String
  private let world: any World

  /// - Parameter root: made if it is not there.
  init(root: String, world: any World) throws(Fault) {
    self.root = root
    self.world = world
    try Files.makeDirectory(root)
  }

  func path(_ name: String) -> String { "\(root)/\(name.prefix(2))/\(name)" }

  func open(_ name: String) throws(Fault) -> OpenFile { try OpenFile(path: path(name)) }

  func remove(_ name: String) { unlink(path(name)) }

  /// Removes what a crash left behind: files that nothing needs.
  func collect(keeping used: Set<String>) {
    for directory in Files.names(in: root) where directory.utf8.count == 2 {
      for name in Files.names(in: "\(root)/\(directory)") where !used.contains(name) {
        unlink("\(root)/\(directory)/\(name)")
      }
    }
  }

  /// A new file. When this returns its name, its bytes are on disk.
  /// - Parameter write: gives the bytes, piece by piece, to the function that it gets.
  func create(
    _ write: (_ append: (UnsafeRawBufferPointer) throws(Fault) -> Void) throws(AWSError) -> Void
  ) throws(AWSError) -> String {
    let name = newName()
    let path = path(name)
    do throws(Fault) {
      try Files.makeDirectory("\(root)/\(name.prefix(2))")
    } catch {
      throw .service("\(error)")
    }
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .service("\(Fault("create \(path)", errno: errno))") }
    defer { close(descriptor) }
    do throws(AWSError) {
      try write { bytes throws(Fault) in try S3Files.append(bytes, descriptor, path) }
      guard fsync(descriptor) == 0 else { throw .service("\(Fault("fsync \(path)", errno: errno))") }
      do throws(Fault) {
        try Files.synchronizeDirectory(of: path)
      } catch {
        throw AWSError.service("\(error)")
      }
      return name
    } catch {
      unlink(path)
      throw error
    }
  }

  /// Takes over a file that came in under no name, so that its bytes are written once.
  /// - Returns: nil where that cannot be done, and the bytes must be copied.
  func adopt(_ draft: OpenFile) -> String? {
    let name = newName()
    do throws(Fault) {
      try Files.makeDirectory("\(root)/\(name.prefix(2))")
      try draft.keep(as: path(name))
      try Files.synchronizeDirectory(of: path(name))
      return name
    } catch {
      unlink(path(name))
      return nil
    }
  }

  /// The same bytes under a new name; they are on disk once.
  func link(_ name: String) throws(Fault) -> String {
    let copy = newName()
    try Files.makeDirectory("\(root)/\(copy.prefix(2))")
    guard Glibc.link(path(name), path(copy)) == 0 else { throw Fault("link \(path(name))", errno: errno) }
    try Files.synchronizeDirectory(of: path(copy))
    return copy
  }

  private func newName() -> String {
    let digits = String(world.random(), radix: 16) + String(world.random(), radix: 16)
    return String(repeating: "0", count: max(0, 32 - digits.count)) + digits
  }

  private static func append(_ bytes: UnsafeRawBufferPointer, _ descriptor: CInt, _ path: String) throws(Fault) {
    var offset = 0
    while offset < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Fault("write \(path)", errno: errno) }
      offset += count
    }
  }
}
