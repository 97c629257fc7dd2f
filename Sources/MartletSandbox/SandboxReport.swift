// Asks `martlet-sandbox --report` what holds on this host; each line was found by really trying.
import Glibc
import MartletCore

package enum SandboxReport {
  /// Runs the program to its end.
  package static func make(executable: String) throws(Fault) -> [Guarantee] {
    let pipe = try Pipe()
    defer { close(pipe.reader) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, pipe.writer, 1)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(executable), strdup("--report"), nil]
    defer { for argument in arguments { free(argument) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var pid: pid_t = 0
    let spawned = posix_spawn(&pid, executable, &actions, nil, &arguments, &environment)
    close(pipe.writer)
    guard spawned == 0 else {
      throw Fault("start \(executable)", errno: spawned, "it must lie beside martlet, or MARTLET_SANDBOX must name it")
    }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(pipe.reader, &chunk, chunk.count)
      if count <= 0 { break }
      text += chunk[0..<count]
    }
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    let guarantees = String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Guarantee(line: $0) }
    guard !guarantees.isEmpty else { throw Fault("\(executable) --report", "it reported nothing") }
    return guarantees
  }
}
