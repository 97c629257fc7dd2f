// A file seen as memory, for searching.
import Glibc
import MartletCore

final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  /// The first `length` bytes of a file. nil if it is gone: retention removes files under those who search.
  init?(_ path: String, length: Int) {
    guard length > 0 else { return nil }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, Int(status.st_size) >= length,
      let memory = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
    else { return nil }
    bytes = UnsafeRawBufferPointer(start: memory, count: length)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
