// Several trees as one: who wins, what is followed (nothing), what is left after a failure (nothing).
import FoundationEssentials
import Glibc
import MartletCore
import MartletSandbox
import Testing

@Suite final class CodeTreesTests {
  private let root: String
  private let trees: CodeTrees

  init() throws {
    var template = Array("/tmp/martlet-trees-XXXXXX".utf8CString)
    root = try #require(mkdtemp(&template).map { String(cString: $0) })
    trees = CodeTrees(root: root)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// Makes a tree; a value that begins with `->` is a symbolic link.
  private func make(_ key: String, _ files: [String: String]) throws {
    for (name, content) in files {
      let path = "\(root)/\(key)/\(name)"
      let directory = String(path[..<(try #require(path.lastIndex(of: "/")))])
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      if content.hasPrefix("->") {
        #expect(symlink(String(content.dropFirst(2)), path) == 0)
      } else {
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content.utf8)))
      }
    }
  }

  private func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: "\(root)/\(path)").map { String(decoding: $0, as: UTF8.self) }
  }

  private func status(_ path: String) throws -> stat {
    var status = stat()
    try #require(lstat("\(root)/\(path)", &status) == 0, "\(path)")
    return status
  }

  private func names(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)").sorted()
  }

  @Test func laterPartsWin() throws {
    try make("a", ["bin/tool": "a", "python/x.py": "a", "only/a": "a"])
    try make("b", ["python/x.py": "b", "python/y.py": "b"])
    try make("c", ["python/y.py": "c", "lib/z": "c"])
    try trees.merge(["a", "b", "c"], as: "m")
    #expect(try names("m") == ["bin", "lib", "only", "python"])
    #expect(text("m/bin/tool") == "a")
    #expect(text("m/python/x.py") == "b")
    #expect(text("m/python/y.py") == "c")
    #expect(text("m/only/a") == "a")
    #expect(text("m/lib/z") == "c")
    // Nothing was copied, and the parts are as they were.
    #expect(try status("m/bin/tool").st_ino == status("a/bin/tool").st_ino)
    #expect(text("a/python/x.py") == "a")
    #expect(try status("m/python").st_mode & 0o777 == 0o755)
  }

  /// A file hides what earlier parts have below that name, and a directory a file; a directory above a file does not
  /// show what the file hides.
  @Test func kindsHideEachOther() throws {
    try make("a", ["x/old": "a", "y": "a", "z/old": "a"])
    try make("b", ["x": "b", "y/new": "b", "z": "b"])
    try make("c", ["z/new": "c"])
    try trees.merge(["a", "b", "c"], as: "m")
    #expect(text("m/x") == "b")
    #expect(try names("m/y") == ["new"])
    #expect(try names("m/z") == ["new"])
  }

  /// A link of one part must not lead the files of another out of the tree, nor to other places in it.
  @Test func linksAreNames() throws {
    try make("a", ["lib": "->/etc", "here": "->there", "there/f": "a", "up": "->../../x"])
    try make("b", ["lib/new": "b", "here/g": "b"])
    try trees.merge(["a", "b"], as: "m")
    #expect(try status("m/lib").st_mode & 0o170000 == 0o040000)
    #expect(try names("m/lib") == ["new"])
    #expect(try names("m/here") == ["g"])
    #expect(try names("m/there") == ["f"])
    #expect(try status("m/up").st_mode & 0o170000 == 0o120000)
    try trees.merge(["b", "a"], as: "n")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/n/lib") == "/etc")
  }

  @Test func aTreeThatIsThereIsKept() throws {
    try make("a", ["f": "a"])
    try make("b", ["g": "b"])
    try trees.merge(["a", "b"], as: "m")
    let first = try status("m").st_ino
    let old = Date(timeIntervalSince1970: 1)
    try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: "\(root)/m")
    try trees.merge(["a", "b"], as: "m")
    #expect(try status("m").st_ino == first)
    let modified = try FileManager.default.attributesOfItem(atPath: "\(root)/m")[.modificationDate] as? Date
    #expect(try #require(modified) > old, "what is wanted again is young again")
  }

  private func unpack(_ content: String, as key: String) throws -> Int {
    var zip = CodeArchiveTests.Zip()
    zip.add("f", Array(content.utf8))
    return try zip.bytes.withUnsafeBytes { raw in try trees.unpack(raw, key: key, limit: .bytes(1000)).bytes }
  }

  /// The second archive shows that nobody looked at it: keys are digests.
  @Test func whatWasUnpackedIsNotUnpackedAgain() throws {
    #expect(try unpack("first", as: "a") == 5)
    let first = try status("a/f").st_ino
    #expect(try unpack("another one", as: "a") == 5)
    #expect(try status("a/f").st_ino == first && text("a/f") == "first")
    // The size is not known of what an earlier Martlet unpacked, and a tree may have gone.
    #expect(unlink("\(root)/a+size") == 0)
    #expect(try unpack("first", as: "a") == 5)
    #expect(try names("") == ["a", "a+size"])
    try FileManager.default.removeItem(atPath: "\(root)/a")
    #expect(try unpack("second", as: "a") == 6)
    #expect(text("a/f") == "second")
  }

  @Test func nothingIsLeftOfWhatNobodyUses() throws {
    _ = try unpack("a", as: "a")
    _ = try unpack("b", as: "b")
    try make("a+task-python3.11", ["g": "a"])
    for name in try names("") {
      let old = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
      #expect(lutimes("\(root)/\(name)", old) == 0)
    }
    _ = try unpack("b", as: "b")
    trees.collect(keeping: [], olderThan: .seconds(60))
    #expect(try names("") == ["b", "b+size"], "what is wanted again is young again")
    // Whatever the clocks of files and processes think of the second.
    trees.collect(keeping: ["a"], olderThan: .seconds(-5))
    #expect(try names("") == [])
  }

  @Test func aMissingPartIsAFault() throws {
    try make("a", ["f": "a"])
    #expect(throws: Fault.self) { try trees.merge(["a", "missing"], as: "m") }
    #expect(try names("") == ["a"])
  }
}
