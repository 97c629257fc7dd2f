// Finds interpreters on this host: on PATH and where the usual version managers keep them. Nothing is executed to find
// them, because the search runs with the privilege of whoever starts the server.
import FoundationEssentials
import Glibc
import MartletCore
import MartletStore

extension Interpreter {
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
      for name in Files.names(in: bin).sorted() {
        if let version = version(of: name, program: "python") { add(.python, version, "\(bin)/\(name)") }
      }
      if let version = version(ofDirectory: directory) {
        add(.nodejs, version, "\(bin)/node")
        add(.ruby, version, "\(bin)/ruby")
      }
    }
    for directory in javaInstallations(home: home, environment) {
      if let version = javaVersion(directory) { add(.java, version, "\(directory)/bin/java") }
    }
    let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    for directory in path.split(separator: ":").map(String.init) + ["/usr/local/bin", "/usr/bin"] {
      for name in Files.names(in: directory).sorted() {
        if let version = version(of: name, program: "python") { add(.python, version, "\(directory)/\(name)") }
        if let version = version(of: name, program: "ruby") { add(.ruby, version, "\(directory)/\(name)") }
        switch name {
        case "node", "nodejs": add(.nodejs, "", "\(directory)/\(name)")
        case "ruby": add(.ruby, "", "\(directory)/\(name)")
        case "java":
          if let real = programPath("\(directory)/java") {
            let prefix = Interpreter(family: .java, version: "", path: real).prefix
            if let version = javaVersion(prefix) { add(.java, version, real) }
          }
        default: break
        }
      }
    }
    return found
  }

  /// The interpreter at a path that somebody named.
  /// - Throws: a `Fault` that says what is wrong with the path.
  package static func named(_ path: String, family: RuntimeFamily) throws(Fault) -> Interpreter {
    guard let real = programPath(path) else { throw Fault(path, "it is not a program that this user can execute") }
    let found = Interpreter(family: family, version: "", path: real)
    guard family == .java else { return found }
    return Interpreter(family: family, version: javaVersion(found.prefix) ?? "", path: real)
  }

  /// Directories in which version managers keep one installation each.
  private static func installations(home: String, _ environment: [String: String]) -> [String] {
    let shared = [home + "/.asdf/installs", home + "/.local/share/mise/installs"]
    let parents =
      [
        (environment["PYENV_ROOT"] ?? home + "/.pyenv") + "/versions",
        home + "/.local/share/uv/python",
        (environment["NVM_DIR"] ?? home + "/.nvm") + "/versions/node",
        home + "/.volta/tools/image/node", "/usr/local/n/versions/node",
        (environment["RBENV_ROOT"] ?? home + "/.rbenv") + "/versions",
        home + "/.rvm/rubies", home + "/.rubies", "/opt/rubies",
        "/opt/python", "/opt/node", "/opt/ruby",
      ] + shared.flatMap { parent in ["python", "nodejs", "node", "ruby"].map { "\(parent)/\($0)" } }
    let fnm = home + "/.local/share/fnm/node-versions"
    return parents.flatMap { parent in Files.names(in: parent).sorted().map { "\(parent)/\($0)" } }
      + Files.names(in: fnm).sorted().map { "\(fnm)/\($0)/installation" }
  }

  private static func javaInstallations(home: String, _ environment: [String: String]) -> [String] {
    let parents = [
      "/usr/lib/jvm", "/opt/java", "/opt/jdk", home + "/.jdks", home + "/.sdkman/candidates/java",
      home + "/.asdf/installs/java", home + "/.local/share/mise/installs/java",
    ]
    return (environment["JAVA_HOME"].map { [$0] } ?? [])
      + parents.flatMap { parent in Files.names(in: parent).sorted().map { "\(parent)/\($0)" } }
  }

  /// `3.12` of `python3.12`.
  private static func version(of name: String, program: String) -> String? {
    guard name.hasPrefix(program), case let version = name.dropFirst(program.count), version.contains("."),
      version.allSatisfy({ $0.isNumber || $0 == "." })
    else { return nil }
    return String(version)
  }

  /// `20.1.0` of `…/v20.1.0`, `…/v20.1.0/installation`, `…/ruby-20.1.0` or `…/20.1.0`.
  private static func version(ofDirectory directory: String) -> String? {
    let parts = directory.split(separator: "/")
    guard var name = parts.last == "installation" ? parts.dropLast().last : parts.last else { return nil }
    for prefix in ["v", "ruby-"] where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
    return name.first?.isNumber == true && name.allSatisfy { $0.isNumber || $0 == "." } ? String(name) : nil
  }

  /// `17.0.15`, as the `release` file of a Java installation tells; Java 8 calls itself 1.8.
  package static func javaVersion(_ prefix: String) -> String? {
    let parent = prefix.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    for file in ["\(prefix)/release", "\(parent)/release"] {
      guard let content = try? Files.read(file) else { continue }
      for line in String(decoding: content, as: UTF8.self).split(separator: "\n") where line.hasPrefix("JAVA_VERSION=")
      {
        let text = line.dropFirst("JAVA_VERSION=".count).filter { $0 != "\"" }
        let version = text.hasPrefix("1.") ? text.dropFirst(2) : text[...]
        return String(version.prefix { $0.isNumber || $0 == "." })
      }
    }
    return nil
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
}
