// Finds interpreters on this host: on PATH and where the usual version managers keep them. Nothing is executed to find
// them, because the search runs with the privilege of whoever starts the server.
import FoundationEssentials
import Glibc
import MartletCore
import MartletSandbox

package struct Interpreter: Sendable, Equatable {
  package let family: RuntimeFamily
  /// `3.11` or `20.20.2`; empty if the path does not tell.
  package let version: String
  /// The program, links resolved.
  package let path: String

  package init(family: RuntimeFamily, version: String, path: String) {
    self.family = family
    self.version = version
    self.path = path
  }

  /// The directory that holds the interpreter with its library: the parent of its `bin`.
  package var prefix: String {
    path.split(separator: "/").dropLast(2).reduce(into: "") { $0 += "/" + $1 }
  }

  /// Compares versions number by number.
  package static func isOlder(_ a: String, _ b: String) -> Bool {
    let (x, y) = (a.split(separator: ".").map { Int($0) ?? 0 }, b.split(separator: ".").map { Int($0) ?? 0 })
    return x.lexicographicallyPrecedes(y)
  }

  /// Looks everywhere. Takes a few milliseconds.
  package static func findAll(environment: [String: String]) -> [Interpreter] {
    var found: [Interpreter] = []
    func add(_ family: RuntimeFamily, _ version: String, _ path: String) {
      guard let real = programPath(path), !found.contains(where: { $0.path == real }) else { return }
      found.append(Interpreter(family: family, version: version, path: real))
    }
    let home = environment["HOME"] ?? "/root"
    for directory in installations(home: home, environment) {
      let bin = directory + "/bin"
      for name in names(in: bin) {
        if let version = pythonVersion(of: name) { add(.python, version, "\(bin)/\(name)") }
      }
      if let version = nodeVersion(ofDirectory: directory) { add(.nodejs, version, "\(bin)/node") }
    }
    let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    for directory in path.split(separator: ":").map(String.init) + ["/usr/local/bin", "/usr/bin"] {
      for name in names(in: directory) {
        if let version = pythonVersion(of: name) { add(.python, version, "\(directory)/\(name)") }
        if name == "node" || name == "nodejs" { add(.nodejs, "", "\(directory)/\(name)") }
      }
    }
    return found
  }

  /// Directories in which version managers keep one installation each.
  private static func installations(home: String, _ environment: [String: String]) -> [String] {
    let parents = [
      (environment["PYENV_ROOT"] ?? home + "/.pyenv") + "/versions",
      home + "/.local/share/uv/python",
      home + "/.asdf/installs/python", home + "/.asdf/installs/nodejs",
      home + "/.local/share/mise/installs/python", home + "/.local/share/mise/installs/node",
      (environment["NVM_DIR"] ?? home + "/.nvm") + "/versions/node",
      home + "/.volta/tools/image/node", "/usr/local/n/versions/node", "/opt/python", "/opt/node",
    ]
    let fnm = home + "/.local/share/fnm/node-versions"
    return parents.flatMap { parent in names(in: parent).map { "\(parent)/\($0)" } }
      + names(in: fnm).map { "\(fnm)/\($0)/installation" }
  }

  private static func names(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
  }

  /// `3.12` of `python3.12`.
  private static func pythonVersion(of name: String) -> String? {
    guard name.hasPrefix("python"), case let version = name.dropFirst(6), version.contains("."),
      version.allSatisfy({ $0.isNumber || $0 == "." })
    else { return nil }
    return String(version)
  }

  /// `20.1.0` of `…/v20.1.0`, `…/v20.1.0/installation` or `…/20.1.0`.
  private static func nodeVersion(ofDirectory directory: String) -> String? {
    let parts = directory.split(separator: "/")
    guard var name = parts.last == "installation" ? parts.dropLast().last : parts.last else { return nil }
    if name.hasPrefix("v") { name = name.dropFirst() }
    return name.first?.isNumber == true && name.allSatisfy { $0.isNumber || $0 == "." } ? String(name) : nil
  }

  /// The real path, if it is a program and not a script (version managers put scripts on PATH).
  private static func programPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    let real = String(cString: resolved)
    let descriptor = open(real, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var magic = [UInt8](repeating: 0, count: 4)
    guard read(descriptor, &magic, 4) == 4, magic == [0x7f, 0x45, 0x4c, 0x46], access(real, X_OK) == 0 else {
      return nil
    }
    return real
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
