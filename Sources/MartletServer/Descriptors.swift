// How many files and sockets the server may have open: each environment takes half a dozen of them.
import Glibc

enum Descriptors {
  /// For so many the kernel makes room at once. When a process with threads needs more room, the kernel waits until no
  /// thread looks at the old one any more, and with it whoever has opened something: milliseconds.
  private static let room = 16_384

  /// As many as the host allows; the usual limit of 1,024 is for programs that use select(2).
  static func raiseLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let some = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let last = fcntl(some, F_DUPFD_CLOEXEC, CInt(min(Int(clamping: limit.rlim_max), room) - 1))
    close(some)
    if last >= 0 { close(last) }
  }
}
