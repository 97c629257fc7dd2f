// Runs a program of this host and waits for its end.
import Glibc
import MartletCore

enum HostProgram {
  /// What the program says goes to this process's standard error, so that its progress is seen.
  /// - Returns: its exit status, 128 and more after a signal; nil if there is no such program.
  /// - Throws: a `Fault` if it cannot be started.
  static func run(_ arguments: [String], isSilent: Bool = false) throws(Fault) -> Int? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if isSilent {
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
      posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    } else {
      posix_spawn_file_actions_adddup2(&actions, 2, 1)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var pid: pid_t = 0
    let spawned = posix_spawnp(&pid, arguments[0], &actions, nil, &pointers, environ)
    if spawned == ENOENT { return nil }
    guard spawned == 0 else { throw Fault("start \(arguments[0])", errno: spawned) }
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? Int(status >> 8) & 0xff : 128 + Int(signal)
  }
}
