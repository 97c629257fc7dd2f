// A program of this host that runs functions of a family.
import Glibc
import MartletCore
import MartletSandbox

package struct Interpreter: Sendable, Equatable {
  package let family: RuntimeFamily
  /// `3.11` or `20.20.2`; empty if the path does not tell.
  package let version: String
  /// The program, links resolved.
  package let path: String

  /// It lies in a pack, below the state directory.
  package let isPacked: Bool
  /// The tree of the image that it lies in, which is the root of its environments.
  package let root: String?

  package init(
    family: RuntimeFamily, version: String, path: String, isPacked: Bool = false, root: String? = nil
  ) {
    self.family = family
    self.version = version
    self.path = path
    self.isPacked = isPacked
    self.root = root
  }

  /// The directory that holds the interpreter with its library: the parent of its `bin`.
  package var prefix: String {
    path.split(separator: "/").dropLast(2).reduce(into: "") { $0 += "/" + $1 }
  }

  /// Where the directory is in an execution environment with a root of its own. What the host has keeps its path,
  /// because some interpreters know where they were installed.
  package var prefixInRoot: String {
    if let root { return String(prefix.dropFirst(root.count)) }
    return isAtVarLang ? "/var/lang" : prefix
  }

  /// It lies where AWS's do: a pack, which can lie anywhere, and what the host has where functions' layers and code
  /// would hide it. (Not Ruby, which knows where it was installed: below /opt it runs no functions with layers.)
  var isAtVarLang: Bool { isPacked || (family != .ruby && lies(in: ["/opt", "/var/task", "/var/runtime"])) }

  /// An execution environment with a root of its own has something else where the interpreter lies.
  package var isHiddenInRoot: Bool { root == nil && !isAtVarLang && lies(in: ["/tmp", "/proc", "/dev"]) }

  private func lies(in directories: [String]) -> Bool {
    directories.contains { prefix == $0 || prefix.hasPrefix($0 + "/") }
  }

  /// The program in an execution environment with a root of its own.
  package var pathInRoot: String { prefixInRoot + path.dropFirst(prefix.count) }

  /// Compares versions number by number.
  package static func isOlder(_ a: String, _ b: String) -> Bool {
    let (x, y) = (a.split(separator: ".").map { Int($0) ?? 0 }, b.split(separator: ".").map { Int($0) ?? 0 })
    return x.lexicographicallyPrecedes(y)
  }

  /// Runs the program with `--version`; nil if it does not answer.
  func askingVersion() -> Interpreter? {
    guard let pipe = try? Pipe() else { return nil }
    defer { close(pipe.reader) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, pipe.writer, 1)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("--version"), nil]
    defer { for argument in arguments { free(argument) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var pid: pid_t = 0
    let spawned = posix_spawn(&pid, path, &actions, nil, &arguments, &environment)
    close(pipe.writer)
    guard spawned == 0 else { return nil }
    var text = [UInt8](repeating: 0, count: 128)
    let count = max(0, read(pipe.reader, &text, text.count))
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    let version = String(decoding: text[0..<count], as: UTF8.self).drop { !$0.isNumber }.prefix {
      $0.isNumber || $0 == "."
    }
    return version.isEmpty ? nil : Interpreter(family: family, version: String(version), path: path)
  }
}
