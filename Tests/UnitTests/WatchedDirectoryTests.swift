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

    func snapshot() throws -> DirectorySnapshot {
      let descriptor = open(source, O_RDONLY | O_DIRECTORY)
      defer { close(descriptor) }
      return try DirectorySnapshot(directory: descriptor, path: source)
    }

    func tree(after before: DirectoryTree? = nil) throws -> DirectoryTree {
      let descriptor = open(source, O_RDONLY | O_DIRECTORY)
      defer { close(descriptor) }
      return try DirectoryTree(of: try snapshot(), directory: descriptor, path: source, before: before, in: trees)
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
    #expect(try bench.snapshot().isSettled, "nothing is there")
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
}
