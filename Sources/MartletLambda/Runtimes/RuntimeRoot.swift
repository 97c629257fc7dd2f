// The file system of an execution environment: what of the host is in it, and where AWS's directories are.
import FoundationEssentials
import Glibc
import MartletCore
import MartletRuntimes
import MartletSandbox
import MartletStore

package struct RuntimeRoot: Sendable {
  /// What every environment has of the host.
  let base: [SandboxSpecification.Mount]
  /// Holds one directory per family with our bootstraps in it.
  private let bootstraps: String

  /// Writes the bootstraps below `directory`, so that environments can be given them.
  package init(bootstrapsIn directory: String, outbound: Bool) throws(Fault) {
    bootstraps = directory
    base = RuntimeRoot.hostMounts(outbound: outbound)
    for file in MartletRuntimes.files {
      try Files.makeDirectory("\(directory)/\(file.family)", mode: 0o755)
      let path = "\(directory)/\(file.family)/\(file.name)"
      if (try? Files.read(path)) == file.content { continue }
      let written = file.content.withUnsafeBytes { bytes in
        Result { () throws(Fault) in try Files.writeDurably(bytes, to: path, mode: 0o644) }
      }
      try written.get()
      chmod(path, 0o644)
    }
  }

  /// Where a family's bootstrap lies on the host.
  package func bootstrapDirectory(_ family: RuntimeFamily) -> String { "\(bootstraps)/\(family.rawValue)" }

  /// The root for a function: `code` becomes /var/task, and `layers`, if there are any, /opt.
  package func mounts(
    family: RuntimeFamily, interpreter: Interpreter?, code: String, layers: String?
  ) -> [SandboxSpecification.Mount] {
    var mounts = base
    mounts.append(.bind(source: code, target: "/var/task"))
    mounts.append(layers.map { .bind(source: $0, target: "/opt") } ?? .directory("/opt"))
    if let interpreter {
      mounts.append(.bind(source: bootstrapDirectory(family), target: "/var/runtime"))
      if !RuntimeRoot.isInSystem(interpreter.prefix) {
        mounts.append(.bind(source: interpreter.prefix, target: interpreter.prefixInRoot))
      }
      if !interpreter.isAtVarLang { mounts.append(.symlink(to: interpreter.prefix, at: "/var/lang")) }
      if family == .java { mounts += RuntimeRoot.javaConfiguration.map { .bind(source: $0, target: $0) } }
    } else {
      mounts.append(.directory("/var/runtime"))
    }
    return mounts
  }

  /// The root of a zygote: as for a function, without any function's code. The directories in which the loader looks
  /// for libraries must be there: it remembers which are not.
  func zygoteMounts(interpreter: Interpreter) -> [SandboxSpecification.Mount] {
    var mounts = base
    mounts.append(.bind(source: bootstrapDirectory(interpreter.family), target: "/var/runtime"))
    if !RuntimeRoot.isInSystem(interpreter.prefix) {
      mounts.append(.bind(source: interpreter.prefix, target: interpreter.prefixInRoot))
    }
    if !interpreter.isAtVarLang { mounts.append(.symlink(to: interpreter.prefix, at: "/var/lang")) }
    return mounts + [.directory("/var/task/lib"), .directory("/opt/lib")]
  }

  /// How names of the outside world are found; nil where functions cannot reach it.
  var resolver: SandboxSpecification.Mount? { base.first { $0.target == "/etc/resolv.conf" } }

  /// The directories from which the sandbox process may take anything.
  package static func exposed(state: String, interpreters: [Interpreter]) -> [String] {
    var directories = ["/usr", "/etc/ssl", "/etc/ca-certificates", "/etc/pki", "/etc/alternatives", state]
    directories += [
      "/etc/ld.so.cache", "/etc/resolv.conf", "/run/systemd/resolve", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
    ]
    directories += interpreters.map(\.prefix).filter { !isInSystem($0) && !$0.isEmpty }
    directories += javaConfiguration
    return Array(Set(directories)).filter { Files.exists($0) }.sorted()
  }

  /// True below /usr, which every environment has.
  private static func isInSystem(_ prefix: String) -> Bool { prefix == "/usr" || prefix.hasPrefix("/usr/") }

  /// Debian's Java keeps its configuration outside of its own directory.
  private static let javaConfiguration = Files.names(in: "/etc").filter { $0.hasPrefix("java-") }.sorted().map {
    "/etc/\($0)"
  }

  private static func hostMounts(outbound: Bool) -> [SandboxSpecification.Mount] {
    var mounts: [SandboxSpecification.Mount] = [.bind(source: "/usr", target: "/usr")]
    for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64"] {
      if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: name) {
        mounts.append(.symlink(to: target, at: name))
      } else if Files.exists(name) {
        mounts.append(.bind(source: name, target: name))
      }
    }
    for name in ["/etc/ssl", "/etc/ca-certificates", "/etc/pki", "/etc/alternatives", "/etc/ld.so.cache"]
    where Files.exists(name) {
      mounts.append(.bind(source: name, target: name))
    }
    if outbound, let resolver = realpath("/etc/resolv.conf", nil) {
      mounts.append(.bind(source: String(cString: resolver), target: "/etc/resolv.conf"))
      free(resolver)
    }
    mounts += [
      .file(
        content: "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n",
        at: "/etc/passwd"),
      .file(content: "root:x:0:\nsbx_user1051:x:990:\n", at: "/etc/group"),
      .file(content: "127.0.0.1 localhost sandbox sandbox.localdomain\n", at: "/etc/hosts"),
      .file(content: "passwd: files\ngroup: files\nhosts: files dns\n", at: "/etc/nsswitch.conf"),
    ]
    return mounts
  }
}
