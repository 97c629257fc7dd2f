// Images from strangers: names, manifests, and layers that must end where they are told to.
import Glibc
import MartletCore
import MartletLambda
import MartletSandbox
import Testing

@Suite struct ImageTests {
  @Test(arguments: [
    ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"), ("localhost/a/b_c:v1.0", "localhost/a/b_c:v1.0"),
    ("public.ecr.aws/lambda/python:3.13", "public.ecr.aws/lambda/python:3.13"),
    (
      "111111111111.dkr.ecr.us-east-1.amazonaws.com/app:x@sha256:" + String(repeating: "a", count: 64),
      "111111111111.dkr.ecr.us-east-1.amazonaws.com/app@sha256:" + String(repeating: "a", count: 64)
    ),
    ("[::1]:5000/app", "[::1]:5000/app:latest"),
  ]) func namesWithARegistry(text: String, asked: String) throws {
    #expect(try #require(ImageReference(text)).asked == asked)
  }

  @Test(arguments: [
    "", "app", "app:1", "library/app", "host.example/", "host.example/A", "host.example/a//b", "host.example/../a",
    "-h.example/a", "--flag/a.b", "h.example:port/a", "h.example/a:", "h.example/a:-x", "h.example/a b",
    "h.example/a\n",
    "h.example/a@sha256:abc", "h.example/a@md5:" + String(repeating: "a", count: 64), "http://h.example/a", "h..e/a",
    "h.example/a@sha256:" + String(repeating: "A", count: 64),
  ]) func otherNames(text: String) { #expect(ImageReference(text) == nil) }

  @Test(arguments: [
    ("127.0.0.1:5000/a", true), ("127.9.8.7/a", true), ("localhost:1/a", true), ("[::1]:1/a", true),
    ("127.0.0.1.example.com/a", false), ("localhost.example.com/a", false), ("10.0.0.1/a", false),
  ]) func plainConnectionsStayOnThisHost(text: String, isLoopback: Bool) throws {
    #expect(try #require(ImageReference(text)).isLoopback == isLoopback)
  }

  @Test func manifests() {
    let digest = "sha256:" + String(repeating: "0", count: 64)
    func manifest(_ type: String, layer: String, size: String = "5") -> ImageManifest? {
      ImageManifest(
        #"{"schemaVersion":2,"mediaType":"\#(type)","config":{"mediaType":"application/vnd.oci.image.config.v1+json","#
          + #""digest":"\#(digest)","size":3},"layers":[{"mediaType":"\#(layer)","digest":"\#(digest)","size":\#(size)}]}"#
      )
    }
    let (type, layer) = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip")
    #expect(manifest(type, layer: layer)?.size == 8)
    #expect(manifest("application/vnd.oci.image.index.v1+json", layer: layer) == nil)
    #expect(manifest(type, layer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") == nil)
    #expect(manifest(type, layer: layer, size: "-1") == nil)
    #expect(manifest(type, layer: layer, size: "9223372036854775807") == nil)
    for text in ["", "{}", "[]", #"{"schemaVersion":1}"#, #"{"schemaVersion":2,"manifests":[]}"#] {
      #expect(ImageManifest(text) == nil)
    }
  }

  @Test func settings() {
    let all = ImageSettings(#"{"config":{"Entrypoint":["/a"],"Cmd":["b"],"Env":["X=1","bad"],"WorkingDir":"/w"}}"#)
    #expect(all?.entryPoint == ["/a"] && all?.command == ["b"] && all?.environment == ["X=1"])
    #expect(ImageSettings("{}")?.workingDirectory == "/")
    #expect(ImageSettings(#"{"os":"windows"}"#) == nil)
    #expect(ImageSettings(#"{"config":{"Cmd":["a\u0000b"]}}"#) == nil)
    #expect(ImageSettings("null") == nil)
  }

  // MARK: - Layers

  /// A tar archive with empty files and directories.
  private static func archive(_ entries: [(name: String, size: Int)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in entries {
      var head = [UInt8](repeating: 0, count: 512)
      func put(_ text: String, at offset: Int) { for (i, byte) in text.utf8.enumerated() { head[offset + i] = byte } }
      put(entry.name, at: 0)
      put("0000644", at: 100)
      let octal = String(entry.size, radix: 8)
      put(String(repeating: "0", count: 11 - octal.utf8.count) + octal, at: 124)
      put("00000000000", at: 136)
      put("        ", at: 148)
      head[156] = 48
      put("ustar\u{0}00", at: 257)
      let sum = String(head.reduce(0) { $0 + Int($1) }, radix: 8)
      put(String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\u{0} ", at: 148)
      bytes += head + [UInt8](repeating: 120, count: (entry.size + 511) / 512 * 512)
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
  }

  private func build(_ layers: [[UInt8]], _ limits: ImageTreeBuilder.Limits) throws -> ImageTreeBuilder.Flaw? {
    var template = Array("/tmp/martlet-image-XXXXXX".utf8CString)
    let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    let trees = ImageTrees(root: directory)
    let draft = try trees.draft("x")
    defer {
      trees.discard(draft)
      unlink("\(directory)/layer")
      rmdir(directory)
    }
    do throws(ImageTreeBuilder.Flaw) {
      var builder = try ImageTreeBuilder(in: draft, limits: limits)
      for layer in layers {
        let file = open("\(directory)/layer", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        layer.withUnsafeBytes { _ = write(file, $0.baseAddress, $0.count) }
        close(file)
        var seen = 0
        try builder.apply("\(directory)/layer") { seen += $0.count }
        #expect(seen == layer.count, "every byte is shown, also those after the end of the archive")
      }
      try builder.finish(files: [("/etc/hosts", "x")])
      #expect(access("\(draft)/etc/hosts", F_OK) == 0)
      return nil
    } catch {
      return error
    }
  }

  @Test func limitsHoldOverAllLayers() throws {
    let limits = ImageTreeBuilder.Limits(size: .bytes(3000), entries: 5)
    #expect(try build([Self.archive([("a", 1000), ("b", 1000)])], limits) == nil)
    #expect(try build([Self.archive([("a", 1000)]), Self.archive([("a", 1000)])], limits) == nil)
    // What a later layer replaces counts as well: it was on the disk.
    #expect(try build([Self.archive([("a", 2000)]), Self.archive([("a", 1001)])], limits) == .tooLarge)
    #expect(try build([Self.archive((0..<6).map { ("f\($0)", 0) })], limits) == .tooLarge)
    #expect(try build([Self.archive([]) + [1, 2, 3]], limits) == nil)
    #expect(try build([[]], limits) == nil)
  }

  @Test func namesThatLeadOut() throws {
    let limits = ImageTreeBuilder.Limits(size: .mebibytes(1), depth: 5)
    for name in ["../a", "a/../../b", "/..", ".wh..", "a/.wh...", ".wh."] {
      #expect(try build([Self.archive([(name, 0)])], limits) != nil, "\(name)")
    }
    #expect(try build([Self.archive([("/a/./b//c", 0)])], limits) == nil)
    #expect(try build([Self.archive([("1/2/3/4/5/6/7/8", 0)])], limits) != nil)
    // A file in the way of a directory, and the reverse in the next layer.
    #expect(try build([Self.archive([("a", 0), ("a/b", 0)])], limits) != nil)
    #expect(try build([Self.archive([("a/b", 0)]), Self.archive([("a", 0)])], limits) == nil)
  }
}
