// Programs of the host, run to their ends. They die with the server, and all at once when it stops.
import CMartlet
import Glibc
import MartletCore
import Synchronization

package final class HostPrograms: Sendable {
  /// How a program ended and what it said.
  package struct Outcome: Sendable {
    package let status: ExitStatus
    package let output: [UInt8]
    /// The end of what it wrote to standard error.
    package let complaint: String

    package var hasSucceeded: Bool { status == .code(0) }
  }

  private struct State {
    var running: Set<pid_t> = []
    var isStopping = false
  }
  private let state = Mutex(State())

  package init() {}

  /// True from `stop` on: what ends afterwards was cut off and has said nothing.
  package var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Kills what runs; nothing is started any more.
  package func stop() {
    state.withLock { state in
      state.isStopping = true
      for process in state.running { kill(-process, SIGKILL) }
    }
  }

  /// The first program of that name in the directories of `path`.
  package static func find(_ name: String, path: String) -> String? {
    path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// Runs a program; blocks its thread until the end.
  /// - Parameters:
  ///   - arguments: the first one is the program's own name.
  ///   - environment: `NAME=VALUE`, nothing else is inherited.
  ///   - outputLimit: what it prints beyond that is thrown away.
  ///   - fileLimit: the most that it may write into one file.
  package func run(
    _ path: String, _ arguments: [String], environment: [String], outputLimit: ByteCount, fileLimit: ByteCount
  ) throws(Fault) -> Outcome {
    let (output, errors) = (try Pipe(), try Pipe())
    defer {
      close(output.reader)
      close(errors.reader)
    }
    let process = start(path, arguments, environment, output, errors, fileLimit)
    close(output.writer)
    close(errors.writer)
    guard process > 0 else {
      throw Fault("start \(path)", errno: process == 0 ? ECANCELED : -process)
    }
    let (printed, complained) = HostPrograms.readAll(output.reader, errors.reader, limit: outputLimit.bytes)
    // Waited for in two steps: once it is reaped, its number may be somebody else's.
    var ended = siginfo_t()
    while waitid(P_PID, id_t(process), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
    state.withLock { _ = $0.running.remove(process) }
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return Outcome(
      status: ExitStatus(wait: UInt32(bitPattern: status)), output: printed,
      complaint: String(decoding: complained, as: UTF8.self))
  }

  /// The process id; 0 if nothing is started any more; -errno.
  private func start(
    _ path: String, _ arguments: [String], _ environment: [String], _ output: Pipe, _ errors: Pipe,
    _ fileLimit: ByteCount
  ) -> pid_t {
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    return state.withLock { state in
      guard !state.isStopping else { return 0 }
      let process = cm_run(path, &argv, &envp, output.writer, errors.writer, UInt64(fileLimit.bytes))
      if process > 0 { state.running.insert(process) }
      return process
    }
  }

  /// Reads both to their ends: the beginning of the first, the end of the second.
  private static func readAll(_ output: CInt, _ errors: CInt, limit: Int) -> ([UInt8], [UInt8]) {
    var (printed, complained): ([UInt8], [UInt8]) = ([], [])
    var open = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
    ]
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while open.contains(where: { $0.fd >= 0 }) {
      guard poll(&open, nfds_t(open.count), -1) > 0 else {
        if errno == EINTR { continue }
        break
      }
      for i in open.indices where open[i].revents != 0 {
        let count = read(open[i].fd, &chunk, chunk.count)
        if count < 0, errno == EINTR || errno == EAGAIN { continue }
        guard count > 0 else {
          open[i].fd = -1
          continue
        }
        if i == 0 {
          printed += chunk[0..<min(count, limit - printed.count)]
        } else {
          complained = Array((complained + chunk[0..<count]).suffix(4096))
        }
      }
    }
    return (printed, complained)
  }
}
