// Compiles the Python and the JavaScript of packages when functions are made, so that no cold start does it
// (docs/fast-start.md). A package and what was compiled of it are one tree, beside the package's own, for each version
// of the language and each place at which it is mounted, because compiled modules know their path.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import NIOPosix
import Synchronization

package final class PackageCompiler: Preparation {
  private let sandboxes: any SandboxHost
  private let root: RuntimeRoot
  private let trees: CodeTrees
  private let runtimes: RuntimeCatalog
  private let world: any World
  private let log: Logger
  /// One package at a time: another core is for the functions.
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let isStopped = Atomic(false)
  private let underWay = Mutex<UnderWay?>(nil)

  /// What is being compiled.
  private struct UnderWay {
    let tree: String
    /// By the world's clock.
    let begun: UInt64
    /// Of results.
    var bytes = 0
    var seconds = 0
  }

  package init(
    sandboxes: any SandboxHost, root: RuntimeRoot, packages: CodePackages, runtimes: RuntimeCatalog, world: any World,
    log: Logger
  ) {
    self.sandboxes = sandboxes
    self.root = root
    trees = packages.trees
    self.runtimes = runtimes
    self.world = world
    self.log = log
    thread.start()
  }

  /// Smaller packages are compiled where they run. Of larger ones, the same is asked of their modules (`compile.py`,
  /// `compile.mjs`).
  private static func smallest(_ family: RuntimeFamily) -> ByteCount { .kibibytes(family == .python ? 2 : 16) }
  /// What is compiled of a package may have this size at most, in memory and on disk.
  static let largest = ByteCount.mebibytes(512)
  /// How long is compiled; what remains of a package is compiled where it runs.
  static let time = Duration.seconds(120)
  /// After this the package stays as it was sent.
  static let patience = Duration.seconds(150)
  private static let memory = ByteCount.mebibytes(1024)

  /// A package, where it will be mounted, and for what.
  struct Subject: Hashable, Sendable {
    let key: String
    let target: String
    /// The name of the tree that has both.
    let tree: String

    init(_ key: String, at target: String, for interpreter: Interpreter) {
      self.key = key
      self.target = target
      tree = PackageCompiler.tree(key, at: target, for: interpreter)
    }

    /// A file of this name says that there is nothing to compile, so that no later start of the server looks again.
    var nothing: String { tree + "-nothing" }
  }

  static func tree(_ key: String, at target: String, for interpreter: Interpreter) -> String {
    let place = target == "/opt" ? "opt" : "task"
    return "\(key)+\(place)-\(interpreter.family.rawValue)\(PackageCompiler.language(of: interpreter))"
  }

  /// The families whose packages are compiled.
  static let families = [RuntimeFamily.python, .nodejs]

  /// What the results are for: a Python of the same two numbers takes them, and only the same Node.
  private static func language(of interpreter: Interpreter) -> String {
    guard interpreter.family == .python else { return interpreter.version }
    return interpreter.version.split(separator: ".").prefix(2).joined(separator: ".")
  }

  /// True if there is something to compile, which may take a while.
  package func isWanted(_ c: FunctionConfiguration) -> Bool { !subjects(c).isEmpty }

  /// Compiles what a version will run, unless that was done before. Whatever goes wrong, the version runs all the same.
  package func prepare(_ c: FunctionConfiguration) async {
    guard let interpreter = interpreter(of: c) else { return }
    for subject in subjects(c) {
      do {
        try await thread.runIfActive { self.compile(subject, with: interpreter) }
      } catch {
        log.debug("not compiled", metadata: ["function": "\(c.name)", "reason": "\(error)"])
      }
    }
  }

  package func progress(of c: FunctionConfiguration) -> String? {
    let wanted = subjects(c)
    guard !wanted.isEmpty else { return nil }
    guard let now = underWay.withLock({ $0 }), wanted.contains(where: { $0.tree == now.tree }) else {
      return "Its packages are compiled next, when others are."
    }
    return "Its packages are compiled: for \(now.seconds) s, with \(now.bytes >> 10) KiB of results so far. "
      + "What is left after \(PackageCompiler.time.components.seconds) s is compiled where it runs."
  }

  /// What is being compiled is given up.
  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    thread.shutdownGracefully { _ in }
  }

  private func interpreter(of c: FunctionConfiguration) -> Interpreter? {
    for family in PackageCompiler.families {
      if let found = runtimes.hostInterpreter(of: c, family) { return found }
    }
    return nil
  }

  private func subjects(_ c: FunctionConfiguration) -> [Subject] {
    guard let interpreter = interpreter(of: c) else { return [] }
    var found: [Subject] = []
    let smallest = PackageCompiler.smallest(interpreter.family).bytes
    if c.code.unpackedSize >= smallest {
      found.append(Subject(c.code.key, at: "/var/task", for: interpreter))
    }
    if let layers = c.layerTree, c.layers.contains(where: { $0.package.unpackedSize >= smallest }) {
      found.append(Subject(layers, at: "/opt", for: interpreter))
    }
    return found.filter { !isDone($0) }
  }

  private func isDone(_ subject: Subject) -> Bool {
    Files.exists(trees.path(subject.tree)) || Files.exists(trees.path(subject.nothing))
  }

  // MARK: - One package, on the thread

  private func compile(_ subject: Subject, with interpreter: Interpreter) {
    guard !isDone(subject) else { return }
    let begun = world.monotonic()
    do throws(Fault) {
      let results = try run(subject, with: interpreter)
      defer { unlink(results) }
      let count = try keep(results, of: subject)
      log.debug(
        "compiled",
        metadata: [
          "package": "\(subject.key.prefix(12))", "bytes": "\(count)",
          "ms": "\((world.monotonic() - begun) / 1_000_000)",
        ])
    } catch {
      log.notice(
        "a package was not compiled; its functions start slower",
        metadata: ["package": "\(subject.key.prefix(12))", "fault": "\(error)"])
    }
  }

  /// Runs the compiler in a sandbox of its own.
  /// - Returns: the path of a file with what it wrote.
  private func run(_ subject: Subject, with interpreter: Interpreter) throws(Fault) -> String {
    let tree = trees.path(subject.key)
    let specification = SandboxSpecification(
      memory: PackageCompiler.memory, tmp: .mebibytes(16), cpu: 1000, processes: 64, descriptors: 256,
      hostname: "sandbox",
      mounts: root.mounts(
        family: interpreter.family, interpreter: interpreter, code: tree,
        layers: subject.target == "/opt" ? tree : nil),
      ports: [], network: .loopback)
    let seconds = "\(PackageCompiler.time.components.seconds)"
    let program = SandboxProgram(
      arguments: PackageCompiler.program(interpreter) + [subject.target, seconds],
      environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], workingDirectory: "/")
    let path = "\(trees.root)/\(UInt64.random(in: 0...UInt64.max)).compiled.part"
    let run = SandboxRun(
      what: "compile", sandboxes: sandboxes, world: world, largest: PackageCompiler.largest,
      patience: PackageCompiler.patience)
    underWay.withLock { $0 = UnderWay(tree: subject.tree, begun: world.monotonic()) }
    defer { underWay.withLock { $0 = nil } }
    try run.output(of: program, in: specification, to: path) { bytes in
      note(bytes, of: subject)
      return !isStopped.load(ordering: .relaxed)
    }
    return path
  }

  /// Who waits for long is told of it.
  private func note(_ bytes: Int, of subject: Subject) {
    let now = world.monotonic()
    let seconds = underWay.withLock { state -> Int? in
      guard var current = state else { return nil }
      current.bytes = bytes
      let seconds = Int((now - current.begun) / 1_000_000_000)
      let isNews = seconds > current.seconds && seconds % PackageCompiler.news == 0
      current.seconds = seconds
      state = current
      return isNews ? seconds : nil
    }
    guard let seconds else { return }
    log.info(
      "compiling a package",
      metadata: ["package": "\(subject.key.prefix(12))", "seconds": "\(seconds)", "results": "\(bytes >> 10) KiB"])
  }

  /// Seconds.
  private static let news = 5

  private static func program(_ interpreter: Interpreter) -> [String] {
    switch interpreter.family {
    case .nodejs: [interpreter.pathInRoot, "--max-old-space-size=768", "/var/runtime/compile.mjs"]
    default: [interpreter.pathInRoot, "-I", "-S", "/var/runtime/compile.py"]
    }
  }

  /// Makes the tree of package and results. What of both has the same path is taken from the results: the package's own
  /// would not have been loaded.
  /// - Returns: the size of the results.
  private func keep(_ results: String, of subject: Subject) throws(Fault) -> Int {
    let part = "\(subject.tree).results.part"
    CodeTrees.remove(trees.path(part))
    guard mkdir(trees.path(part), 0o755) == 0 else { throw Fault("make \(part)", errno: errno) }
    defer { CodeTrees.remove(trees.path(part)) }
    let file = try OpenFile(path: results)
    // Too little to be worth it.
    guard file.size > 0 else { return noteNothing(subject) }
    let unpacked = file.withBytes { raw in
      Result { () throws(CodeArchive.Flaw) in
        try CodeArchive.extract(raw, into: trees.path(part), limit: PackageCompiler.largest)
      }
    }
    switch unpacked {
    case .success(let size):
      try trees.merge([subject.key, part], as: subject.tree)
      return size.bytes
    case .failure(.empty): return noteNothing(subject)
    case .failure(let flaw): throw Fault("compile", "what came back is no archive: \(flaw)")
    }
  }

  private func noteNothing(_ subject: Subject) -> Int {
    let file = open(trees.path(subject.nothing), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
    return 0
  }
}
