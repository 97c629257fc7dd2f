// Archives of the classes that every start of Java loads: Martlet's bootstrap and what it needs beyond Java's own
// archive (class-data sharing). One for each installation of Java, made when the first function that it serves is made,
// kept beside the bootstrap, where environments see it.
// https://docs.oracle.com/en/java/javase/21/vm/class-data-sharing.html
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import NIOPosix
import Synchronization

package final class JavaArchives: Preparation {
  private let sandboxes: any SandboxHost
  private let root: RuntimeRoot
  private let runtimes: RuntimeCatalog
  private let world: any World
  private let log: Logger
  /// One at a time: another core is for the functions.
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let isStopped = Atomic(false)

  package init(
    sandboxes: any SandboxHost, root: RuntimeRoot, runtimes: RuntimeCatalog, world: any World, log: Logger
  ) {
    self.sandboxes = sandboxes
    self.root = root
    self.runtimes = runtimes
    self.world = world
    self.log = log
    thread.start()
  }

  /// The oldest version that makes archives of what a program has loaded, and says nothing when one does not fit.
  private static let oldest = "17"
  private static let largest = ByteCount.mebibytes(64)
  private static let patience = Duration.seconds(60)

  package func isWanted(_ c: FunctionConfiguration) -> Bool { subject(c) != nil }

  package func prepare(_ c: FunctionConfiguration) async {
    guard let interpreter = subject(c) else { return }
    do {
      try await thread.runIfActive { self.make(for: interpreter) }
    } catch {
      log.debug("no archive of classes", metadata: ["function": "\(c.name)", "reason": "\(error)"])
    }
  }

  package func progress(of c: FunctionConfiguration) -> String? {
    subject(c).map { "An archive of the classes of Java \($0.version) is made, once for all functions." }
  }

  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    thread.shutdownGracefully { _ in }
  }

  /// The Java that has no archive yet.
  private func subject(_ c: FunctionConfiguration) -> Interpreter? {
    guard let found = runtimes.hostInterpreter(of: c, .java),
      !Interpreter.isOlder(found.version, JavaArchives.oldest), let name = root.javaArchiveName(found),
      !Files.exists(path(name)), !Files.exists(path(name + JavaArchives.nothing))
    else { return nil }
    return found
  }

  /// A file of this name says that none can be made, so that nobody tries again.
  private static let nothing = "-nothing"

  private func path(_ name: String) -> String { "\(root.bootstrapDirectory(.java))/\(name)" }

  private func make(for interpreter: Interpreter) {
    guard let name = root.javaArchiveName(interpreter), !Files.exists(path(name)) else { return }
    let specification = SandboxSpecification(
      memory: .mebibytes(512), tmp: .mebibytes(128), cpu: 1000, processes: 128, descriptors: 256, hostname: "sandbox",
      mounts: root.mounts(
        family: .java, interpreter: interpreter, code: root.bootstrapDirectory(.java), layers: nil),
      ports: [], network: .loopback)
    let run = SandboxRun(
      what: "archive classes", sandboxes: sandboxes, world: world, largest: JavaArchives.largest,
      patience: JavaArchives.patience)
    // Those of what it was before.
    for old in Files.names(in: root.bootstrapDirectory(.java)) where old.hasPrefix(RuntimeRoot.place(interpreter)) {
      unlink(path(old))
    }
    let part = path("\(name).\(UInt64.random(in: 0...UInt64.max)).part")
    do throws(Fault) {
      try run.output(of: RuntimeProgram.javaArchiver(interpreter), in: specification, to: part) { _ in
        !isStopped.load(ordering: .relaxed)
      }
      chmod(part, 0o644)
      guard rename(part, path(name)) == 0 else { throw Fault("rename \(part)", errno: errno) }
      log.debug("archive of classes", metadata: ["interpreter": "\(interpreter.path)"])
    } catch {
      unlink(part)
      guard !isStopped.load(ordering: .relaxed) else { return }
      log.notice(
        "no archive of classes; Java starts slower",
        metadata: ["interpreter": "\(interpreter.path)", "fault": "\(error)"])
      let file = open(path(name + JavaArchives.nothing), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
      if file >= 0 { close(file) }
    }
  }
}

extension RuntimeRoot {
  /// What the archive for a Java is called: another one if Java or our bootstrap is replaced, because an archive is of
  /// use only to what it was made with. nil if it does not look like a Java.
  func javaArchiveName(_ interpreter: Interpreter) -> String? {
    guard let machine = RuntimeRoot.stamp("\(interpreter.prefix)/lib/server/libjvm.so"),
      let bootstrap = RuntimeRoot.stamp("\(bootstrapDirectory(.java))/bootstrap.jar")
    else { return nil }
    return "\(RuntimeRoot.place(interpreter))\(machine)-\(bootstrap).jsa"
  }

  /// With what the names of all archives for a Java begin.
  static func place(_ interpreter: Interpreter) -> String {
    interpreter.prefix.split(separator: "/").joined(separator: "-") + "+"
  }

  /// The archive, if it is there, as environments see it.
  func javaArchive(_ interpreter: Interpreter) -> String? {
    guard interpreter.family == .java, let name = javaArchiveName(interpreter),
      Files.exists("\(bootstrapDirectory(.java))/\(name)")
    else { return nil }
    return "/var/runtime/\(name)"
  }

  private static func stamp(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return "\(status.st_size)-\(KernelTime.seconds(status.st_mtim))"
  }
}
