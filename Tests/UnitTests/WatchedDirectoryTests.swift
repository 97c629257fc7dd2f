// Directories of the host as trees: what is a change, what is copied, which links are refused.
import Glibc
import MartletCore
import MartletSandbox
import Testing

@testable import MartletLambda

@Suite struct WatchedDirectoryTests {
  /// A directory and the trees beside it, removed at the end.
  private final class Bench {
    let root: String
    let source: String
    let trees: CodeTrees

    init() throws {
      var template = Array("/tmp/martlet-unit-XXXXXX".utf8CString)
      root = try #require(mkdtemp(&template).map { String(cString: $0) })
      source = root + "/source"
      mkdir(source, 0o755)
      mkdir(root + "/trees", 0o755)
      trees = CodeTrees(root: root + "/trees")
    }

    deinit { CodeTrees.remove(root) }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) {
      let file = open("\(source)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode)
      Glibc.write(file, text, text.utf8.count)
      close(file)
    }

    /// - Parameter isOld: as if everything had been written so long ago that the stamps can be believed.
    func snapshot(isOld: Bool = false) throws -> DirectorySnapshot {
      let descriptor = open(source, O_RDONLY | O_DIRECTORY)
      defer { close(descriptor) }
      return try DirectorySnapshot(
        directory: descriptor, path: source,
        taken: KernelTime.now(CLOCK_REALTIME) + (isOld ? 10_000_000_000 : 0))
    }

    func tree(after before: DirectoryTree? = nil, isOld: Bool = false) throws -> DirectoryTree {
      let descriptor = open(source, O_RDONLY | O_DIRECTORY)
      defer { close(descriptor) }
      return try DirectoryTree(
        of: try snapshot(isOld: isOld), directory: descriptor, path: source, before: before, in: trees)
    }

    func inode(_ tree: DirectoryTree, _ name: String) -> UInt64 {
      var status = stat()
      return lstat("\(trees.path(tree.package.key))/\(name)", &status) == 0 ? UInt64(status.st_ino) : 0
    }
  }

  @Test(arguments: [
    ("b", "a", true), ("../b", "a", false), ("../b", "d/a", true), ("../../b", "d/a", false),
    ("/etc/passwd", "a", false),
    ("d/../../x", "a", false), ("./d/../b", "a", true), ("", "a", true),
  ])
  func linksStayInside(destination: String, path: String, isInside: Bool) {
    #expect(DirectoryTree.staysInside(destination, from: path) == isInside)
  }

  @Test func whatIsFreshIsNotSettled() throws {
    let bench = try Bench()
    #expect(try bench.snapshot(isOld: true).isSettled, "nothing is there, and has not been for a while")
    bench.write("a", "1")
    let snapshot = try bench.snapshot()
    #expect(!snapshot.isSettled && snapshot.entries.count == 1 && snapshot.size == 1)
  }

  @Test func theContentNamesTheTree() throws {
    let bench = try Bench()
    bench.write("a", "1")
    mkdir(bench.source + "/d", 0o755)
    bench.write("d/b", "2")
    let first = try bench.tree()
    bench.write("a", "3")
    let second = try bench.tree(after: first)
    bench.write("a", "1")
    let third = try bench.tree(after: second)
    #expect(first.package.key != second.package.key && first.package == third.package)
    bench.write("a", "1", mode: 0o755)
    chmod(bench.source + "/a", 0o755)
    #expect(try bench.tree(after: third).package.key != first.package.key, "what can be executed is another file")
  }

  @Test func whatVersionControlAndEditorsLeaveIsNoCode() throws {
    let bench = try Bench()
    bench.write("a", "1")
    let before = try bench.snapshot()
    mkdir(bench.source + "/.git", 0o755)
    mkdir(bench.source + "/__pycache__", 0o755)
    for name in [".git/index", "__pycache__/a.pyc", "a~", ".a.swp"] { bench.write(name, "x") }
    #expect(try bench.snapshot() == before)
    mkfifo(bench.source + "/pipe", 0o644)
    #expect(try bench.snapshot() == before, "and what is no file")
  }

  @Test func aLinkThatLeadsOutIsRefusedAndNothingIsLeft() throws {
    let bench = try Bench()
    bench.write("a", "1")
    symlink("/etc/passwd", bench.source + "/b")
    #expect(throws: Fault.self) { try bench.tree() }
    let left = try CodeTrees.entries(of: bench.trees.root)
    #expect(left.isEmpty)
  }

  @Test func freshFilesAreCopiedAgain() throws {
    let bench = try Bench()
    bench.write("a", "1")
    bench.write("b", "1")
    let first = try bench.tree()
    bench.write("a", "2")
    let second = try bench.tree(after: first)
    #expect(bench.inode(first, "b") != bench.inode(second, "b"), "it may have been written since without a trace")
  }

  @Test func aSpareBecomesTheNextTree() throws {
    let bench = try Bench()
    for directory in ["a", "a/b", "c"] { mkdir("\(bench.source)/\(directory)", 0o755) }
    for name in ["a/1", "a/2", "a/b/3", "c/4", "5", "6"] { bench.write(name, "first \(name)") }
    symlink("5", bench.source + "/link")
    let first = try bench.tree(isOld: true)
    let spare = try #require(first.spare(in: bench.trees))
    bench.write("a/1", "second")
    unlink(bench.source + "/c/4")
    rmdir(bench.source + "/c")
    bench.write("c", "a file now")
    unlink(bench.source + "/6")
    mkdir(bench.source + "/6", 0o755)
    bench.write("6/7", "new")
    unlink(bench.source + "/link")
    symlink("a/2", bench.source + "/link")
    chmod(bench.source + "/a/2", 0o755)
    let descriptor = open(bench.source, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    let second = try DirectoryTree(
      of: try bench.snapshot(isOld: true), directory: descriptor, path: bench.source, before: first, spare: { spare },
      in: bench.trees)
    let whole = try bench.tree()
    #expect(second.package.key == whole.package.key && !whole.isNew, "as if it had been made from nothing")
    #expect(
      bench.inode(second, "5") == bench.inode(first, "5") && bench.inode(second, "a/1") != bench.inode(first, "a/1"))
    #expect(bench.inode(second, "a/b/3") == bench.inode(first, "a/b/3"))
    #expect((try? CodeTrees.entries(of: bench.trees.root))?.filter { $0.hasSuffix(".part") } == [])
  }

  @Test func whatIsThereAlreadyIsNotMadeAgain() throws {
    let bench = try Bench()
    bench.write("a", "1")
    let first = try bench.tree()
    bench.write("a", "2")
    let second = try bench.tree(after: first)
    let spare = try #require(second.spare(in: bench.trees))
    bench.write("a", "1")
    let descriptor = open(bench.source, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    let third = try DirectoryTree(
      of: try bench.snapshot(), directory: descriptor, path: bench.source, before: second, spare: { spare },
      in: bench.trees
    )
    #expect(first.isNew && second.isNew && !third.isNew && third.package == first.package)
    #expect(access(spare, F_OK) == 0, "the spare is there for an edit that needs it")
  }

  /// The delta of two snapshots is what two sets of paths say, however long the part that they have in common is.
  @Test(arguments: 0..<20) func deltasOfRandomEdits(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let bench = try Bench()
    for number in 0..<30 { bench.write("f\(100 + number)", "\(number)") }
    let before = try bench.snapshot(isOld: true)
    let names = Set(before.entries.map(\.path))
    var (changed, gone): (Set<String>, Set<String>) = ([], [])
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let name = "f\(Int.random(in: 95...135, using: &random))"
      if names.contains(name) { gone.insert(name) }
      if access(bench.source + "/" + name, F_OK) == 0, Bool.random(using: &random) {
        unlink(bench.source + "/" + name)
        changed.remove(name)
      } else {
        bench.write(name, "edited \(random.next())")
        changed.insert(name)
      }
    }
    let delta = DirectoryDelta(from: before, to: try bench.snapshot(isOld: true))
    #expect(Set(delta.changed.map(\.path)) == changed && Set(delta.gone.map(\.path)) == gone)
  }

  /// A look that knows what was there before sees what one that knows nothing sees, whatever was done meanwhile.
  @Test(arguments: 0..<25) func looksThatKnowTheOneBefore(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let bench = try Bench()
    var before: DirectorySnapshot?
    for round in 0..<8 {
      for _ in 0..<Int.random(in: 0...10, using: &random) {
        let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in "n\(Int.random(in: 0..<4, using: &random))" }
        let name = parts.joined(separator: "/")
        switch Int.random(in: 0..<6, using: &random) {
        case 0: mkdir("\(bench.source)/\(name)", 0o755)
        case 1: CodeTrees.remove("\(bench.source)/\(name)")
        case 2: symlink("n1", "\(bench.source)/\(name)")
        case 3: rename("\(bench.source)/\(name)", "\(bench.source)/n\(Int.random(in: 0..<4, using: &random))")
        default: bench.write(name, "round \(round) \(random.next())")
        }
      }
      let descriptor = open(bench.source, O_RDONLY | O_DIRECTORY)
      defer { close(descriptor) }
      // What is young is read again, name by name; what is old is believed where the directory's stamp is the same.
      let plain = try DirectorySnapshot(directory: descriptor, path: bench.source)
      #expect(try DirectorySnapshot(directory: descriptor, path: bench.source, after: before) == plain)
      let old = try DirectorySnapshot(
        directory: descriptor, path: bench.source, taken: KernelTime.now(CLOCK_REALTIME) + 10_000_000_000)
      let again = try DirectorySnapshot(directory: descriptor, path: bench.source, after: old)
      #expect(again == plain && old == plain)
      before = again
    }
  }
}
